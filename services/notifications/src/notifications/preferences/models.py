"""The table of preferences."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.database.base import Version
from chassis.localization import Language
from sqlalchemy import CheckConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base


class Preference(Base):
    """How one business wants its messages, and its buyers' ones. Without a row: Spanish, by every channel."""

    __tablename__ = "preferences"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(server_default=Language.ES.value)
    sms: Mapped[bool] = mapped_column(server_default=true())
    email: Mapped[bool] = mapped_column(server_default=true())
    updated_at: Mapped[datetime]
    version: Mapped[Version]

    __table_args__ = (CheckConstraint("language IN ('es', 'pt', 'en')", name="language"),)
