"""REST: /api/v1/cash-registers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from sales.cash_registers import service
from sales.cash_registers.schemas import RegisterIn, RegisterOut, RegisterPatch
from sales.cash_sessions.status import SessionStatus
from sales.context import SalesContext

router = APIRouter(prefix="/api/v1/cash-registers", tags=["cash-registers"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.post("", status_code=201, response_model=Data[RegisterOut])
async def create(body: RegisterIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """A drawer at a branch, closed until it is opened. The owner's to add."""
    return answer_response(await service.create(ctx, caller, key, body))


@router.get("")
async def find(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
    status: Annotated[SessionStatus | None, Query()] = None,
) -> Page[RegisterOut]:
    """Newest first. An employee sees those of their branches."""
    return await service.find(ctx, caller, paging, business_id=business_id, branch_id=branch_id, status=status)


@router.get("/{register_id}")
async def get(register_id: UUID, ctx: Ctx, caller: Caller) -> Data[RegisterOut]:
    return Data(data=(await service.visible_register(ctx, caller, register_id)).present())


@router.patch("/{register_id}")
async def change(register_id: UUID, body: RegisterPatch, ctx: Ctx, caller: Caller) -> Data[RegisterOut]:
    return Data(data=await service.change(ctx, caller, register_id, body))


@router.delete("/{register_id}", status_code=204)
async def delete(register_id: UUID, ctx: Ctx, caller: Caller) -> None:
    """409 `cash_register_open` while it is open. Its name may be given to another one then."""
    await service.delete(ctx, caller, register_id)
