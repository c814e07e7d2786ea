"""KYC over REST."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import orjson
from chassis.auth import Principal
from chassis.database.idempotency import IdempotencyScope
from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, KeyHeader, answer_response, checked_key, scope_of
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, ErrorBody, Page
from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from auth.audit.origin import NoteOrigin
from auth.context import AuthContext, Ctx
from auth.kyc import service, submitting
from auth.kyc.documents import EXTENSIONS
from auth.kyc.form import Form, read_form
from auth.kyc.schemas import FORM, Rejection, SubmissionForm, SubmissionResponse, SubmissionSummary
from auth.kyc.status import DocumentName, SubmissionStatus
from auth.users.schemas import KycLevel

router = APIRouter(prefix="/api/v1/kyc", tags=["kyc"], dependencies=[NoteOrigin])
UPLOAD_PATH = "/api/v1/kyc/submissions"


@router.post(
    "/submissions",
    status_code=201,
    response_model=Data[SubmissionResponse],
    responses={415: {"model": ErrorBody, "description": "No form, or a file that is no JPEG, PNG or PDF"}},
    openapi_extra=FORM,
)
async def create_submission(ctx: Ctx, caller: Caller, request: Request, key: KeyHeader = None) -> Response:
    """Apply for the next KYC level, with the documents that prove it, in one form."""
    key = checked_key(key)
    async with ctx.kyc_uploads.taken(caller.user_id):
        form = await read_form(request)
        scope = _scope(ctx, request, caller, key, form)
        return answer_response(await submitting.submit(ctx, caller, scope, _fields(form), form.files))


@router.get("/submissions")
async def list_submissions(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    status: SubmissionStatus | None = None,
    level: KycLevel | None = None,
    user_id: Annotated[UUID | None, Query(alias="userId", description="For administrators")] = None,
) -> Page[SubmissionSummary]:
    """The caller's submissions, or everybody's for an administrator; newest first."""
    return await service.list_page(ctx, caller, paging, user_id=user_id, status=status, level=level)


@router.get("/submissions/{submission_id}")
async def get_submission(ctx: Ctx, caller: Caller, submission_id: UUID) -> Data[SubmissionResponse]:
    """One submission with its numbers and the list of its documents."""
    return Data(data=await service.get(ctx, caller, submission_id))


@router.get(
    "/submissions/{submission_id}/documents/{name}",
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in EXTENSIONS}}},
)
async def get_document(ctx: Ctx, caller: Caller, submission_id: UUID, name: DocumentName) -> Response:
    """A document as it was sent, as a file to save."""
    found = await service.document(ctx, caller, submission_id, name)
    filename = f"{name.value}.{EXTENSIONS[found.content_type]}"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(found.content, media_type=found.content_type, headers=headers)


@router.post("/submissions/{submission_id}/approve", response_model=Data[SubmissionResponse])
async def approve_submission(ctx: Ctx, caller: Caller, submission_id: UUID, key: IdempotencyKey) -> Response:
    """Raise the user to the level applied for. For administrators."""
    return answer_response(await service.approve(ctx, caller, key, submission_id))


@router.post("/submissions/{submission_id}/reject", response_model=Data[SubmissionResponse])
async def reject_submission(
    ctx: Ctx, caller: Caller, submission_id: UUID, body: Rejection, key: IdempotencyKey
) -> Response:
    """Turn a submission down with a reason that the user can act on. For administrators."""
    return answer_response(await service.reject(ctx, caller, key, submission_id, body.reason))


@router.post("/submissions/{submission_id}/withdraw", response_model=Data[SubmissionResponse])
async def withdraw_submission(ctx: Ctx, caller: Caller, submission_id: UUID, key: IdempotencyKey) -> Response:
    """Take one's own submission back before it is reviewed."""
    return answer_response(await service.withdraw(ctx, caller, key, submission_id))


def _fields(form: Form) -> SubmissionForm:
    try:
        return SubmissionForm.model_validate(dict(form.fields))
    except ValidationError as error:
        items = error.errors(include_input=False, include_url=False, include_context=False)
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in items]) from None


def _scope(ctx: AuthContext, request: Request, caller: Principal, key: str | None, form: Form) -> IdempotencyScope:
    # Over what was sent and not over its bytes: a client that sends a form again makes a new boundary. Keyed, since a
    # document's number is soon guessed.
    files = {name: sha256(content).hexdigest() for name, content in form.files.items()}
    said = orjson.dumps([form.fields, files], option=orjson.OPT_SORT_KEYS)
    return scope_of(request, key, caller.user_id, hmac.digest(ctx.fingerprint_key, said, sha256))
