"""Reading, reviewing and withdrawing submissions. `submitting` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.auth import Principal
from chassis.crypto import DecryptionFailed
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page
from chassis.objectstore import ObjectCorrupted, ObjectNotFound, ObjectStoreUnavailable
from chassis.telemetry.logs import get_logger

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.context import AuthContext
from auth.kyc import errors, events, repository
from auth.kyc.models import KycSubmission
from auth.kyc.presentation import present, summarize
from auth.kyc.schemas import SubmissionResponse, SubmissionSummary
from auth.kyc.status import TRANSITIONS, DocumentName, SubmissionStatus
from auth.sealing import assign
from auth.sessions import staleness
from auth.users import events as user_events
from auth.users import repository as users
from auth.users.schemas import KycLevel

log = get_logger(__name__)


async def list_page(
    ctx: AuthContext,
    caller: Principal,
    params: PageParams,
    *,
    user_id: UUID | None,
    status: SubmissionStatus | None,
    level: KycLevel | None,
) -> Page[SubmissionSummary]:
    """The caller's submissions; for an administrator everybody's, or one user's."""
    if not caller.is_admin:
        user_id = caller.user_id
    number = None if level is None else _number(level)
    async with ctx.database.read() as session:
        found = await repository.page(session, params, user_id=user_id, status=status, level=number)
    return as_page(found, lambda row: summarize(ctx.cipher, row.KycSubmission))


async def get(ctx: AuthContext, caller: Principal, submission_id: UUID) -> SubmissionResponse:
    async with ctx.database.read() as session:
        submission = _visible(caller, await repository.find(session, submission_id))
        documents = await repository.documents(session, submission_id)
        others = await repository.other_accounts(session, submission) if caller.is_admin else None
    return present(ctx.cipher, submission, documents, other_accounts=others)


@dataclass(frozen=True, slots=True)
class DocumentContent:
    content: bytes
    content_type: str


async def document(ctx: AuthContext, caller: Principal, submission_id: UUID, name: DocumentName) -> DocumentContent:
    """A file as it was sent. That an administrator looks at one is on record before they see it."""

    async def work(unit: UnitOfWork) -> str:
        submission = _visible(caller, await repository.find(unit.session, submission_id))
        found = await repository.document(unit.session, submission_id, name.value)
        if found is None or submission.documents_deleted_at is not None:
            raise errors.document_not_found()
        if submission.user_id != caller.user_id:
            record(
                ctx.cipher,
                unit,
                AuditAction.KYC_DOCUMENT_READ,
                actor=caller,
                subject_id=submission_id,
                after={"document": name.value},
            )
        return found.content_type

    content_type = await ctx.database.run(work)
    try:
        return DocumentContent(await ctx.documents.get(submission_id, name.value), content_type)
    except ObjectNotFound:
        raise errors.document_not_found() from None
    except (ObjectCorrupted, DecryptionFailed, ObjectStoreUnavailable) as error:
        log.error("kyc.document_unreadable", submission_id=str(submission_id), error=type(error).__name__)
        raise errors.store_unavailable() from None


async def approve(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, submission_id: UUID) -> Answer:
    """Raise the user to the level applied for. Their access tokens become stale, so that the next ones say so."""
    _require_admin(caller)
    raised: list[UUID] = []

    async def work(unit: UnitOfWork) -> Data[SubmissionResponse]:
        raised.clear()
        found = await _reviewable(unit, caller, submission_id)
        user = await users.lock(unit.session, found.user_id)
        if user is None:
            raise errors.user_deleted()
        submission = await _locked(unit, submission_id)
        if _close(unit, submission, SubmissionStatus.APPROVED, caller):
            before = user.kyc_level
            if submission.level > before:
                user.kyc_level = submission.level
                user.version += 1
                user.updated_at = unit.clock.now()
                await staleness.outdate(unit, [user.id])
                unit.publish(user_events.updated(user, "kyc_level"))
                raised.append(user.id)
            unit.publish(events.reviewed(submission))
            record(
                ctx.cipher,
                unit,
                AuditAction.KYC_APPROVED,
                actor=caller,
                subject_id=submission_id,
                before={"kycLevel": before},
                after={"kycLevel": user.kyc_level},
            )
        return await _presented(ctx, unit, submission)

    answer = await ctx.idempotency.run(scope, work, status=200)
    if raised:
        await staleness.announce(ctx, raised)
    return answer


async def reject(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, submission_id: UUID, reason: str
) -> Answer:
    """The user may then submit anew."""
    _require_admin(caller)

    async def work(unit: UnitOfWork) -> Data[SubmissionResponse]:
        await _reviewable(unit, caller, submission_id)
        submission = await _locked(unit, submission_id)
        if _close(unit, submission, SubmissionStatus.REJECTED, caller):
            assign(ctx.cipher, submission, {"rejection_reason": reason})
            unit.publish(events.reviewed(submission))
            after = {"reason": reason}
            record(ctx.cipher, unit, AuditAction.KYC_REJECTED, actor=caller, subject_id=submission_id, after=after)
        return await _presented(ctx, unit, submission)

    return await ctx.idempotency.run(scope, work, status=200)


async def withdraw(ctx: AuthContext, caller: Principal, scope: IdempotencyScope, submission_id: UUID) -> Answer:
    """Take one's own submission back before it is reviewed, to send a better one."""

    async def work(unit: UnitOfWork) -> Data[SubmissionResponse]:
        submission = await repository.lock(unit.session, submission_id)
        if submission is None or submission.user_id != caller.user_id:
            raise errors.submission_not_found()
        if _close(unit, submission, SubmissionStatus.WITHDRAWN, None):
            record(ctx.cipher, unit, AuditAction.KYC_WITHDRAWN, actor=caller, subject_id=submission_id)
        return await _presented(ctx, unit, submission)

    return await ctx.idempotency.run(scope, work, status=200)


def _close(unit: UnitOfWork, submission: KycSubmission, status: SubmissionStatus, reviewer: Principal | None) -> bool:
    """Move a locked submission to a final state. False when it is there already; Conflict when in another one."""
    present_status = SubmissionStatus(submission.status)
    if present_status is status:
        return False
    if status not in TRANSITIONS[present_status]:
        raise errors.submission_closed()
    submission.status = status.value
    submission.closed_at = submission.updated_at = unit.clock.now()
    submission.reviewed_by = reviewer.user_id if reviewer else None
    submission.version += 1
    return True


async def _reviewable(unit: UnitOfWork, caller: Principal, submission_id: UUID) -> KycSubmission:
    submission = await repository.find(unit.session, submission_id)
    if submission is None:
        raise errors.submission_not_found()
    if submission.user_id == caller.user_id:
        raise errors.own_submission()
    return submission


async def _locked(unit: UnitOfWork, submission_id: UUID) -> KycSubmission:
    submission = await repository.lock(unit.session, submission_id)
    if submission is None:
        raise errors.submission_not_found()
    return submission


async def _presented(ctx: AuthContext, unit: UnitOfWork, submission: KycSubmission) -> Data[SubmissionResponse]:
    documents = await repository.documents(unit.session, submission.id)
    return Data(data=present(ctx.cipher, submission, documents))


def _visible(caller: Principal, submission: KycSubmission | None) -> KycSubmission:
    if submission is None or (submission.user_id != caller.user_id and not caller.is_admin):
        raise errors.submission_not_found()
    return submission


def _require_admin(caller: Principal) -> None:
    if not caller.is_admin:
        raise errors.admins_only()


def _number(level: KycLevel) -> int:
    return int(level.value.removeprefix("LEVEL_"))
