"""Log-in, refresh, log-out, and the caller's sessions."""

from __future__ import annotations

from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, PublicIdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Response

from auth.audit.origin import NoteOrigin
from auth.context import Ctx
from auth.edge import CredentialKey, Device, LiveCaller
from auth.sessions import service
from auth.sessions.schemas import LoginRequest, RefreshRequest, SessionResponse, TokenResponse

router = APIRouter(prefix="/api/v1/auth", tags=["sessions"], dependencies=[NoteOrigin])


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


@router.get("/sessions")
async def list_sessions(ctx: Ctx, caller: LiveCaller, paging: Paging) -> Page[SessionResponse]:
    """Where the caller is logged in, newest first."""
    return await service.list_page(ctx, caller, paging)


@router.delete("/sessions/{session_id}", status_code=204)
async def remove_session(ctx: Ctx, caller: LiveCaller, session_id: UUID) -> None:
    """End one of the caller's sessions, at once."""
    await service.remove(ctx, caller, session_id)
