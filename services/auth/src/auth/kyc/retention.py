"""Deleting documents: of uploads that came to nothing, and of submissions whose time is over.

Rejected and withdrawn submissions lose their documents after some weeks, in which the decision can be disputed;
approved ones after the years for which a payment business must be able to show whom it dealt with. The row itself
stays: it is the record of who was found to be whom, and by whom.

Files first, then the row: a job that dies in between finds the row again, and deleting what is gone is harmless.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.database.idempotency import Claim, IdempotencyScope
from chassis.objectstore import ObjectStoreUnavailable
from chassis.telemetry.logs import get_logger

from auth.context import AuthContext
from auth.kyc import repository

log = get_logger(__name__)

# Far longer than an upload may take, so that none is given up that is still under way.
_ABANDONED_AFTER = timedelta(hours=1)
_AT_ONCE = 100


async def give_up(ctx: AuthContext, submission_id: UUID, scope: IdempotencyScope, claim: Claim) -> None:
    """Leave nothing of an upload that failed, so that the same request can be sent again at once. What cannot be
    deleted now, the job deletes."""

    async def work(unit: UnitOfWork) -> None:
        await _delete_upload(ctx, unit, submission_id)

    async def forget(unit: UnitOfWork) -> None:
        await ctx.idempotency.forget(unit, scope, claim)

    try:
        await ctx.database.run(work)
    except ObjectStoreUnavailable:
        log.warning("kyc.upload_left_behind", submission_id=str(submission_id))
    await ctx.database.run(forget)


async def delete_abandoned(ctx: AuthContext) -> None:
    """What died processes have left in the object store. A job, every few minutes."""
    started_before = ctx.clock.now() - _ABANDONED_AFTER
    async with ctx.database.read() as session:
        found = await repository.abandoned(session, started_before=started_before, limit=_AT_ONCE)
    for submission_id in found:

        async def work(unit: UnitOfWork, submission_id: UUID = submission_id) -> None:
            await _delete_upload(ctx, unit, submission_id)

        await ctx.database.run(work)
        log.info("kyc.abandoned_upload_deleted", submission_id=str(submission_id))


async def delete_expired(ctx: AuthContext) -> None:
    """Documents that have been kept long enough. A job, every hour."""
    now = ctx.clock.now()
    while True:
        async with ctx.database.read() as session:
            found = await repository.expired(
                session,
                approved_before=now - ctx.kyc_retention.approved,
                others_before=now - ctx.kyc_retention.others,
                limit=_AT_ONCE,
            )
        for submission_id in found:

            async def work(unit: UnitOfWork, submission_id: UUID = submission_id) -> None:
                await _delete_documents(ctx, unit, submission_id)

            await ctx.database.run(work)
        if len(found) < _AT_ONCE:
            return


async def _delete_upload(ctx: AuthContext, unit: UnitOfWork, submission_id: UUID) -> None:
    # Under the row's lock: a try that is about to make the submission waits, and then finds that it may not.
    upload = await repository.lock_upload(unit.session, submission_id)
    if upload is None:
        return
    await ctx.documents.delete(submission_id, upload.names)
    await unit.session.delete(upload)


async def _delete_documents(ctx: AuthContext, unit: UnitOfWork, submission_id: UUID) -> None:
    submission = await repository.lock(unit.session, submission_id)
    if submission is None or submission.documents_deleted_at is not None:
        return
    documents = await repository.documents(unit.session, submission_id)
    await ctx.documents.delete(submission_id, [document.name for document in documents])
    submission.documents_deleted_at = unit.clock.now()
