"""Queries for the audit log."""

from __future__ import annotations

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.audit.actions import AuditAction
from auth.audit.models import AuditEntry
from auth.audit.schemas import AuditFilter

_SUBJECT_TYPES = sorted({action.subject_type for action in AuditAction})


async def page(session: AsyncSession, params: PageParams, wanted: AuditFilter) -> Slice:
    """Entries, newest first."""
    statement = select(AuditEntry)
    if wanted.business_id is not None:
        statement = statement.where(AuditEntry.business_id == wanted.business_id)
    if wanted.actor_id is not None:
        statement = statement.where(AuditEntry.actor_id == wanted.actor_id)
    if wanted.subject_id is not None:
        # All types there are: they lead the index by which a subject is found.
        statement = statement.where(
            AuditEntry.subject_type.in_(_SUBJECT_TYPES), AuditEntry.subject_id == wanted.subject_id
        )
    if wanted.action is not None:
        statement = statement.where(AuditEntry.action == wanted.action.value)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.occurred_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEntry.occurred_at < wanted.until)
    return await fetch_page(session, statement, params, created_at=AuditEntry.occurred_at, id=AuditEntry.id)
