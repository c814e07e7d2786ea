"""The log of events. Nothing in it is ever changed or deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base


class LoggedEvent(Base):
    """seq: the order of arrival, with gaps. body: the event's fields, as far as this
    version of the contracts knows them.

    A type `row:<table>` is no event but a fact of before there was a log, its row as the body."""

    __tablename__ = "event_log"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    type: Mapped[str]
    occurred_at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON())
