"""Businesses whose facts are to be made again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base


class Rebuild(Base):
    """While a business has a row here its events are logged and not counted: the rebuild counts them, at its end. So a
    rebuild that died is taken up by the next process that looks, and nothing is missing.

    known_seq: the log's last event when the row was written, up to which every event is committed.
    """

    __tablename__ = "rebuilds"

    business_id: Mapped[UUID] = mapped_column(primary_key=True)
    requested_at: Mapped[datetime]
    known_seq: Mapped[int] = mapped_column(BigInteger)
