"""Log-in, refresh, log-out."""

from __future__ import annotations

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, PublicIdempotencyKey, answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter, Response

from auth.context import Ctx
from auth.edge import CredentialKey, Device
from auth.sessions import service
from auth.sessions.schemas import LoginRequest, RefreshRequest, TokenResponse

router = APIRouter(prefix="/api/v1/auth", tags=["sessions"])


@router.post("/login", response_model=Data[TokenResponse])
async def login(ctx: Ctx, body: LoginRequest, device: Device, key: CredentialKey) -> Response:
    """Log in with phone and password."""
    return answer_response(await service.log_in(ctx, key, body, device))


# The next three take the header as every POST does, and need to keep nothing under it: the token itself makes a
# repeated refresh give the same answer, and ending a session twice is ending it once.


@router.post("/refresh")
async def refresh(ctx: Ctx, body: RefreshRequest, _: PublicIdempotencyKey) -> Data[TokenResponse]:
    """Exchange a refresh token for a new pair. A refresh token works once; using an old one ends the session."""
    return Data(data=await service.refresh(ctx, body.refresh_token))


@router.post("/logout", status_code=204)
async def logout(ctx: Ctx, caller: Caller, _: IdempotencyKey) -> None:
    """End this session, at once."""
    await service.log_out(ctx, caller)


@router.post("/logout-all", status_code=204)
async def logout_all(ctx: Ctx, caller: Caller, _: IdempotencyKey) -> None:
    """End every session of the caller, at once."""
    await service.log_out_everywhere(ctx, caller)
