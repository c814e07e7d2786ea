"""Sessions and their refresh tokens."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.base import Base
from auth.sessions.status import EndReason


class UserSession(Base):
    """One log-in on one device: the family of all refresh tokens that descend from it.

    `address`: from where it began, encrypted. `valid_from`: access tokens issued up to then have become stale, though
    the session lives on. `announced_at`: when Redis was told of the end, or of the latest `valid_from`. Until then a
    gateway may still believe otherwise.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
        CheckConstraint(f"end_reason IN ({', '.join(repr(reason.value) for reason in EndReason)})", name="end_reason"),
        Index(
            "ix_sessions_user_id",
            "user_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_sessions_unannounced",
            text("greatest(ended_at, valid_from)"),
            postgresql_where=text("announced_at IS NULL AND (ended_at IS NOT NULL OR valid_from IS NOT NULL)"),
        ),
        Index("ix_sessions_expires_at", "expires_at"),
    )

    SEALED: ClassVar[frozenset[str]] = frozenset({"address"})

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    device: Mapped[str | None]
    address: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    valid_from: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    announced_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A refresh token as its keyed hash; the token itself is kept nowhere."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("uq_refresh_tokens_digest", "digest", unique=True),
        Index("ix_refresh_tokens_session_id", "session_id"),
        Index("ix_refresh_tokens_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    digest: Mapped[bytes]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
