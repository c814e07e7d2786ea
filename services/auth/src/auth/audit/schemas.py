"""What is read from the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.auth import Role
from chassis.http.schemas import ResponseModel, UtcDatetime

from auth.audit.actions import AuditAction


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """since: included; until: excluded."""

    business_id: UUID | None = None
    actor_id: UUID | None = None
    subject_id: UUID | None = None
    action: AuditAction | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditEntryResponse(ResponseModel):
    """actor_id: who did it; empty for who was not logged in, and for commands. before, after: the fields that changed,
    as they were and became. address, device: of the client that asked for it."""

    id: UUID
    occurred_at: UtcDatetime
    action: AuditAction
    actor_id: UUID | None
    actor_role: Role | None
    session_id: UUID | None
    subject_type: str
    subject_id: UUID | None
    business_id: UUID | None
    request_id: str | None
    address: str | None
    device: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
