"""Which weeks have been told."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base


class WeeklyReport(Base):
    """week: its Monday. Written with the event, so that a week is told once however many processes look."""

    __tablename__ = "weekly_reports"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)
    published_at: Mapped[datetime]
