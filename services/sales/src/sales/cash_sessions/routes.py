"""REST: what is done with a register's drawer, /api/v1/cash-registers/:id/…"""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from sales.cash_sessions import service
from sales.cash_sessions.repository import SessionFilter
from sales.cash_sessions.schemas import (
    ApproveIn,
    CloseIn,
    EntryOut,
    MovementIn,
    MovementOut,
    OpenIn,
    SessionOut,
)
from sales.cash_sessions.status import MovementType, SessionStatus
from sales.context import SalesContext

router = APIRouter(prefix="/api/v1/cash-registers/{register_id}", tags=["cash-registers"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.post("/open", status_code=201, response_model=Data[SessionOut])
async def open_register(register_id: UUID, body: OpenIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """Begin a session with what lies in the drawer. 409 `cash_register_open` where one has begun."""
    return answer_response(await service.open_register(ctx, caller, key, register_id, body))


@router.post("/close", status_code=200, response_model=Data[SessionOut])
async def close_register(register_id: UUID, body: CloseIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """Count the drawer and end its session. What is odd keeps nobody from closing: it is listed in `exceptions`, and a
    difference above `tolerance` waits for the owner's approval."""
    return answer_response(await service.close_register(ctx, caller, key, register_id, body))


@router.post("/movements", status_code=201, response_model=Data[MovementOut])
async def move(register_id: UUID, body: MovementIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """Cash in or out by hand, with its reason. 422 `insufficient_cash` for more than there is."""
    return answer_response(await service.move(ctx, caller, key, register_id, body))


@router.get("/movements")
async def movements(
    register_id: UUID,
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    kind: Annotated[MovementType | None, Query(alias="type")] = None,
    session_id: Annotated[UUID | None, Query(alias="sessionId")] = None,
) -> Page[MovementOut]:
    """Newest first."""
    return await service.movements(ctx, caller, register_id, paging, kind=kind, session_id=session_id)


@router.get("/sessions")
async def find_sessions(
    register_id: UUID,
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    status: Annotated[SessionStatus | None, Query()] = None,
    day_from: Annotated[date | None, Query(alias="from", description="Business day, inclusive")] = None,
    day_to: Annotated[date | None, Query(alias="to", description="Business day, inclusive")] = None,
    needs_approval: Annotated[bool | None, Query(alias="needsApproval")] = None,
) -> Page[SessionOut]:
    """The drawer's history, newest first."""
    chosen = SessionFilter(status, day_from, day_to, needs_approval)
    return await service.find(ctx, caller, register_id, chosen, paging)


@router.get("/sessions/{cash_session_id}")
async def get_session(register_id: UUID, cash_session_id: UUID, ctx: Ctx, caller: Caller) -> Data[SessionOut]:
    """With `totals` by kind, method and cashier."""
    return Data(data=await service.get(ctx, caller, register_id, cash_session_id))


@router.get("/sessions/{cash_session_id}/entries")
async def entries(register_id: UUID, cash_session_id: UUID, ctx: Ctx, caller: Caller, paging: Paging) -> Page[EntryOut]:
    """The whole ledger, newest first. 403 `count_is_blind` to an employee while the session is open."""
    return await service.entries(ctx, caller, register_id, cash_session_id, paging)


@router.post("/sessions/{cash_session_id}/approve", status_code=200, response_model=Data[SessionOut])
async def approve(
    register_id: UUID, cash_session_id: UUID, body: ApproveIn, ctx: Ctx, caller: Caller, key: IdempotencyKey
) -> Response:
    """The owner lets a difference above the tolerance be. 409 `cash_session_needs_no_approval` where there is none."""
    return answer_response(await service.approve(ctx, caller, key, register_id, cash_session_id, body))
