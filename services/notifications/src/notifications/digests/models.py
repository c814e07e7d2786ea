"""The table of news that wait to be told together."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from notifications.base import Base


class DigestItem(Base):
    """One event that is to be told. It is deleted in the transaction that writes the message."""

    __tablename__ = "digest_items"

    id: Mapped[Id]
    business_id: Mapped[UUID]
    cause_event_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    # What a line is filled with: product, on_hand, min_stock.
    details: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("cause_event_id", name="uq_digest_items_cause"),
        Index("ix_digest_items_due", "due_at"),
        Index("ix_digest_items_business", "business_id", "created_at", "id"),
    )
