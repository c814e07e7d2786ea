"""That values came under another key is itself on record."""

from __future__ import annotations

from chassis.database import UnitOfWork
from chassis.reencryption import Outcome
from chassis.tenancy import everyone

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.context import AuthContext


async def note_reencryption(ctx: AuthContext, outcome: Outcome) -> None:
    """One entry per run that changed anything. Nobody is its actor: it was a command."""
    if not any(outcome.rewritten.values()):
        return
    after = {"keyId": outcome.key_id, "rewritten": outcome.rewritten, "remaining": outcome.remaining}

    async def work(unit: UnitOfWork) -> None:
        record(ctx.cipher, unit, AuditAction.FIELDS_REENCRYPTED, actor=None, subject_id=None, after=after)

    with everyone():
        await ctx.database.run(work)
