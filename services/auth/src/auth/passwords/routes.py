"""Passwords that were forgotten, and new ones."""

from __future__ import annotations

from chassis.http.idempotency import answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.codes.schemas import CodeSentResponse
from auth.context import Ctx
from auth.edge import CallerCredentialKey, CredentialKey, LiveCaller
from auth.passwords import service
from auth.passwords.schemas import ChangeRequest, ForgotRequest, PasswordChangedResponse, ResetRequest

router = APIRouter(prefix="/api/v1/auth/password", tags=["passwords"], dependencies=[NoteOrigin])


@router.post("/forgot", status_code=202, response_model=Data[CodeSentResponse])
async def forgot_password(ctx: Ctx, body: ForgotRequest, key: CredentialKey) -> Response:
    """Have a code sent with which the password can be reset. Answers alike whether or not there is such a user."""
    return answer_response(await service.forgot(ctx, key, body))


@router.post("/reset", response_model=Data[PasswordChangedResponse])
async def reset_password(ctx: Ctx, body: ResetRequest, key: CredentialKey) -> Response:
    """Set a new password with the code. Ends every session of the user, at once."""
    return answer_response(await service.reset(ctx, key, body))


@router.post("/change", response_model=Data[PasswordChangedResponse])
async def change_password(ctx: Ctx, caller: LiveCaller, body: ChangeRequest, key: CallerCredentialKey) -> Response:
    """Set a new password with the present one. Ends every other session of the caller, at once."""
    return answer_response(await service.change(ctx, caller, key, body))
