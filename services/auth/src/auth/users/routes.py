"""Registration and the caller's own profile."""

from __future__ import annotations

from chassis.http.idempotency import answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.context import Ctx
from auth.edge import CredentialKey, Device, LiveCaller
from auth.sessions.schemas import TokenResponse
from auth.users import service
from auth.users.schemas import ProfileChange, RegisterRequest, UserResponse

router = APIRouter(prefix="/api/v1/auth", tags=["users"], dependencies=[NoteOrigin])


@router.post("/register", status_code=201, response_model=Data[TokenResponse])
async def register(ctx: Ctx, body: RegisterRequest, device: Device, key: CredentialKey) -> Response:
    """Open an account with a phone and a password. The answer logs in at once."""
    return answer_response(await service.register(ctx, key, body, device))


@router.get("/me")
async def me(ctx: Ctx, caller: LiveCaller) -> Data[UserResponse]:
    """The caller's own account."""
    return Data(data=await service.me(ctx, caller))


@router.patch("/me")
async def change_me(ctx: Ctx, caller: LiveCaller, body: ProfileChange) -> Data[UserResponse]:
    """Change name or e-mail address."""
    return Data(data=await service.change_me(ctx, caller, body))
