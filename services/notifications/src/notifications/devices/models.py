"""The table of devices."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base


class PushDevice(Base):
    """One app on one device. Its token is encrypted, bound to this row: whoever has it can be addressed by it."""

    __tablename__ = "push_devices"
    SEALED: ClassVar[frozenset[str]] = frozenset({"token"})

    id: Mapped[Id]
    user_id: Mapped[UUID]
    token: Mapped[str]
    token_index: Mapped[bytes] = mapped_column(LargeBinary)
    platform: Mapped[str]
    created_at: Mapped[CreatedAt]
    seen_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("user_id", "token_index", name="uq_push_devices_token"),
        CheckConstraint("platform IN ('ANDROID', 'IOS', 'WEB')", name="platform"),
        Index("ix_push_devices_list", "user_id", "created_at", "id"),
        Index("ix_push_devices_token", "token_index"),
    )

    @property
    def token_place(self) -> str:
        return token_place(self.id)


def token_place(device_id: UUID) -> str:
    """Binds an encrypted token to its row."""
    return f"push_devices.token:{device_id}"
