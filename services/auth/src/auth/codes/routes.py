"""Verification of the caller's phone and e-mail address."""

from __future__ import annotations

from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.codes import service
from auth.codes.schemas import CodeSentResponse, ConfirmationRequest, VerificationRequest
from auth.context import Ctx
from auth.edge import CallerCredentialKey, LiveCaller
from auth.users.schemas import UserResponse

router = APIRouter(prefix="/api/v1/auth/verification", tags=["verification"], dependencies=[NoteOrigin])


@router.post("", status_code=202, response_model=Data[CodeSentResponse])
async def request_verification(
    ctx: Ctx, caller: LiveCaller, body: VerificationRequest, key: IdempotencyKey
) -> Response:
    """Have a code of six digits sent to the caller's phone or e-mail address. It lives ten minutes."""
    return answer_response(await service.request_verification(ctx, caller, key, body))


@router.post("/confirm", response_model=Data[UserResponse])
async def confirm_verification(
    ctx: Ctx, caller: LiveCaller, body: ConfirmationRequest, key: CallerCredentialKey
) -> Response:
    """Give the code back. A code can be tried five times and works once."""
    return answer_response(await service.confirm(ctx, caller, key, body))
