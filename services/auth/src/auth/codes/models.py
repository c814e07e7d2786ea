"""The table of one-time codes, which holds no code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base
from auth.codes.rules import MAX_ATTEMPTS, Channel, Purpose

_LIVING = text("used_at IS NULL AND replaced_at IS NULL")


class OneTimeCode(Base):
    """A code that was asked for. The code itself follows from `id` under a secret, and is stored in no form.

    `target_index` is the blind index of what the code was asked for with: the address that is being verified, or the
    phone or e-mail by which someone who forgot their password named themselves. `user_id` is empty where that names
    nobody: such a row is written all the same, so that nothing tells the two apart. `attempts` counts wrong guesses.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (
        CheckConstraint(f"purpose IN ({', '.join(repr(purpose.value) for purpose in Purpose)})", name="purpose"),
        CheckConstraint(f"channel IN ({', '.join(repr(channel.value) for channel in Channel)})", name="channel"),
        CheckConstraint(f"attempts BETWEEN 0 AND {MAX_ATTEMPTS}", name="attempts"),
        CheckConstraint("used_at IS NULL OR user_id IS NOT NULL", name="used"),
        # One living code for each address named, and for each user and way to reach them.
        Index("uq_one_time_codes_target_index", "target_index", "purpose", unique=True, postgresql_where=_LIVING),
        Index("uq_one_time_codes_user_id", "user_id", "purpose", "channel", unique=True, postgresql_where=_LIVING),
        Index("ix_one_time_codes_target_index_created_at", "target_index", "created_at"),
        Index("ix_one_time_codes_user_id_created_at", "user_id", "created_at"),
        Index("ix_one_time_codes_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    channel: Mapped[str]
    target_index: Mapped[bytes]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
