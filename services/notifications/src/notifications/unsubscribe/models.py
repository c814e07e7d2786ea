"""The table of what readers have switched off."""

from __future__ import annotations

from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base


class Suppression(Base):
    """One recipient wants no more of one kind from one business, or from Cobro to their own account, by one channel.

    The recipient is a blind index: it says whom not to write to, and nothing else.
    """

    __tablename__ = "suppressions"

    id: Mapped[Id]
    business_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    channel: Mapped[str]
    recipient_index: Mapped[bytes] = mapped_column(LargeBinary)
    event_class: Mapped[str]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint(
            "recipient_index",
            "event_class",
            "channel",
            "business_id",
            "user_id",
            name="uq_suppressions_recipient",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("(business_id IS NULL) <> (user_id IS NULL)", name="addressee"),
    )
