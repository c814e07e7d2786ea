"""Submitting: check, store the files, commit. A process may die between any two of these steps.

The files are outside the database, so it is claim, store, finish: a row in `kyc_uploads` says which files are being
stored before the first of them is, and goes in the transaction that makes the submission. What a process leaves behind
is deleted by it (`retention`), and a client that sends the same request again takes up where the first try stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from chassis.auth import Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, Claim, IdempotencyScope, in_progress
from chassis.http.schemas import Data
from chassis.objectstore import ObjectStoreUnavailable
from kernel import CobroError, new_id

from auth.audit.actions import AuditAction
from auth.audit.service import record
from auth.context import AuthContext
from auth.kyc import errors, repository, retention
from auth.kyc.application import Application, check
from auth.kyc.documents import DocumentFile
from auth.kyc.models import KycDocument, KycSubmission
from auth.kyc.presentation import present
from auth.kyc.schemas import SubmissionForm, SubmissionResponse
from auth.kyc.status import SubmissionStatus
from auth.sealing import assign
from auth.users import repository as users
from auth.users.errors import user_gone

# What somebody else is carrying out: its files are theirs.
_NOT_OURS = frozenset({errors.upload_superseded().code, in_progress().code})


async def submit(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, form: SubmissionForm, files: Mapping[str, bytes]
) -> Answer:
    """Ask for the next KYC level.

    Raises InvalidInput, UnsupportedMedia, RuleViolation and Conflict where it may not be asked for, and Unavailable
    when the files cannot be stored.
    """
    application = check(form, files)
    claim = await _begin(ctx, caller, scope, application)
    if isinstance(claim, Answer):
        return claim
    submission_id = claim.resource_id
    try:
        for file in application.files:
            await ctx.documents.put(submission_id, file.name.value, file.content)
        return await _finish(ctx, caller, scope, claim, application)
    except ObjectStoreUnavailable:
        await retention.give_up(ctx, submission_id, scope, claim)
        raise errors.store_unavailable() from None
    except CobroError as error:
        if error.code not in _NOT_OURS:
            await retention.give_up(ctx, submission_id, scope, claim)
        raise


async def _begin(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, application: Application
) -> Claim | Answer:
    async def work(unit: UnitOfWork) -> Claim | Answer:
        claim = await ctx.idempotency.claim(unit, scope, new_id())
        if isinstance(claim, Answer):
            return claim
        await _require_eligible(unit, caller.user_id, application.level)
        await repository.begin_upload(
            unit.session, claim.resource_id, caller.user_id, application.names, unit.clock.now()
        )
        return claim

    return await ctx.database.run(work)


async def _finish(
    ctx: AuthContext, caller: Principal, scope: IdempotencyScope, claim: Claim, application: Application
) -> Answer:
    async def work(unit: UnitOfWork) -> Answer:
        # First of all: whoever deletes this row owns the files, here or in `retention.give_up`.
        if not await repository.end_upload(unit.session, claim.resource_id):
            raise errors.upload_superseded()
        await _require_eligible(unit, caller.user_id, application.level)
        submission = _submission(ctx, unit, caller.user_id, claim.resource_id, application)
        unit.session.add(submission)
        await unit.session.flush()
        documents = [_document(ctx, submission, file) for file in application.files]
        unit.session.add_all(documents)
        after = {"level": submission.level, "country": submission.country, "documentType": submission.document_type}
        record(ctx.cipher, unit, AuditAction.KYC_SUBMITTED, actor=caller, subject_id=submission.id, after=after)
        body = Data[SubmissionResponse](data=present(ctx.cipher, submission, documents))
        answer = Answer(201, body.model_dump_json(by_alias=True).encode())
        await unit.session.flush()
        if not await ctx.idempotency.finish(unit, scope, claim, answer):
            raise in_progress()
        return answer

    return await ctx.database.run(work)


async def _require_eligible(unit: UnitOfWork, user_id: UUID, level: int) -> None:
    """Under the user's lock, so that of two submissions at once the second sees the first."""
    user = await users.lock(unit.session, user_id)
    if user is None:
        raise user_gone()
    if level <= user.kyc_level:
        raise errors.level_reached()
    if level > user.kyc_level + 1:
        raise errors.level_required(level - 1)
    if user.phone_verified_at is None:
        raise errors.phone_not_verified()
    if await repository.has_open(unit.session, user_id):
        raise errors.submission_open()


def _submission(
    ctx: AuthContext, unit: UnitOfWork, user_id: UUID, submission_id: UUID, application: Application
) -> KycSubmission:
    kind = application.document_type.value if application.document_type is not None else None
    column = "tax_id" if kind is None else "document_number"
    identity = f"{application.country.value}:{kind or 'TAX'}:{application.number}"
    now = unit.clock.now()
    submission = KycSubmission(
        id=submission_id,
        user_id=user_id,
        level=application.level,
        status=SubmissionStatus.PENDING.value,
        country=application.country.value,
        document_type=kind,
        identity_index=ctx.blind_index.of(identity, column=f"kyc_submissions.{column}"),
        version=1,
        created_at=now,
        updated_at=now,
    )
    assign(ctx.cipher, submission, {column: application.number})
    return submission


def _document(ctx: AuthContext, submission: KycSubmission, file: DocumentFile) -> KycDocument:
    return KycDocument(
        id=new_id(),
        submission_id=submission.id,
        user_id=submission.user_id,
        name=file.name.value,
        content_type=file.content_type,
        size=len(file.content),
        key_id=ctx.documents.key_id,
    )
