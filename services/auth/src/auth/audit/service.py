"""Writing to the audit log, in the transaction of the change it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from chassis.auth import Principal
from chassis.crypto import FieldCipher
from chassis.database import UnitOfWork
from kernel import new_id

from auth.audit.actions import AuditAction
from auth.audit.models import AuditEntry, details_place
from auth.audit.origin import current_origin


def record(
    cipher: FieldCipher,
    unit: UnitOfWork,
    action: AuditAction,
    *,
    actor: Principal | None,
    subject_id: UUID | None,
    business_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Say who did what to which row of what `action` is about. The entry stands if, and only if, the change does.

    before, after: the fields that changed, in plain; they are encrypted here. Never a password, a code or a token.
    """
    origin = current_origin()
    entry_id = new_id()
    details = {"before": before, "after": after, "address": origin.address, "device": origin.device}
    unit.session.add(
        AuditEntry(
            id=entry_id,
            occurred_at=unit.clock.now(),
            action=action.value,
            actor_id=actor.user_id if actor else None,
            actor_role=actor.role.value if actor else None,
            session_id=actor.session_id if actor else None,
            subject_type=action.value.partition(".")[0],
            subject_id=subject_id,
            business_id=business_id,
            request_id=origin.request_id or None,
            details=cipher.encrypt(orjson.dumps(details, default=str), context=details_place(entry_id)),
        )
    )
