"""The table of the audit log. A trigger refuses every change but a re-encryption of `details`."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import Id
from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from auth.base import Base


class AuditEntry(Base):
    """One change. `details` is the encrypted JSON of before, after, address and device, bound to this row."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_list", text("occurred_at DESC"), text("id DESC")),
        Index("ix_audit_entries_business_id", "business_id", text("occurred_at DESC"), text("id DESC")),
        Index("ix_audit_entries_actor_id", "actor_id", text("occurred_at DESC"), text("id DESC")),
        Index("ix_audit_entries_subject", "subject_type", "subject_id", text("occurred_at DESC")),
    )

    SEALED: ClassVar[frozenset[str]] = frozenset({"details"})

    id: Mapped[Id]
    occurred_at: Mapped[datetime]
    action: Mapped[str]
    # None: nobody was logged in, or a command did it.
    actor_id: Mapped[UUID | None]
    actor_role: Mapped[str | None]
    session_id: Mapped[UUID | None]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None]
    business_id: Mapped[UUID | None]
    request_id: Mapped[str | None]
    details: Mapped[str]

    @property
    def details_place(self) -> str:
        return details_place(self.id)


def details_place(entry_id: UUID) -> str:
    """Binds the encrypted details to their row."""
    return f"audit_entries.details:{entry_id}"
