"""Writing to the audit log, in the transaction of the change it is about, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from chassis.auth import Permission, Principal
from chassis.crypto import FieldCipher
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Page
from kernel import new_id

from auth.audit import errors, repository
from auth.audit.actions import AuditAction
from auth.audit.models import AuditEntry, details_place
from auth.audit.origin import current_origin
from auth.audit.presentation import present
from auth.audit.schemas import AuditEntryResponse, AuditFilter
from auth.context import AuthContext


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
            subject_type=action.subject_type,
            subject_id=subject_id,
            business_id=business_id,
            request_id=origin.request_id or None,
            details=cipher.encrypt(orjson.dumps(details, default=str), context=details_place(entry_id)),
        )
    )


async def list_page(
    ctx: AuthContext, caller: Principal, params: PageParams, wanted: AuditFilter
) -> Page[AuditEntryResponse]:
    """Everything for an administrator; for others what concerns a business that they own, which they must name."""
    if wanted.since is not None and wanted.until is not None and wanted.until < wanted.since:
        raise errors.bad_range()
    if not caller.is_admin:
        if wanted.business_id is None:
            raise errors.business_needed()
        await ctx.access.require(caller, wanted.business_id, Permission.MANAGE)
    async with ctx.database.read() as session:
        result = await repository.page(session, params, wanted)
    return as_page(result, lambda row: present(ctx.cipher, row.AuditEntry))
