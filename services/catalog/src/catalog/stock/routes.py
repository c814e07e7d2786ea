"""REST: /api/v1/products/:id/stock, /api/v1/products/:id/stock-movements and /api/v1/stock-movements."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging
from chassis.http.schemas import Data, Page
from fastapi import APIRouter, Query
from starlette.responses import Response

from catalog.context import Ctx
from catalog.stock import service
from catalog.stock.movement import MovementType
from catalog.stock.schemas import MovementCreate, MovementOut, StockLevelOut

router = APIRouter(prefix="/api/v1/products/{product_id}", tags=["stock"])
history = APIRouter(prefix="/api/v1/stock-movements", tags=["stock"])


@router.get("/stock")
async def list_levels(product_id: UUID, caller: Caller, ctx: Ctx) -> Data[list[StockLevelOut]]:
    """What lies in each branch."""
    return Data(data=await service.list_levels(ctx, caller, product_id))


@router.get("/stock-movements")
async def list_movements(
    product_id: UUID,
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
    kind: Annotated[MovementType | None, Query(alias="type")] = None,
) -> Page[MovementOut]:
    """The history of the stock, newest first."""
    return await service.list_movements(ctx, caller, product_id, paging, branch_id=branch_id, kind=kind)


@router.post("/stock-movements", response_model=Data[MovementOut], status_code=201)
async def record_movement(
    product_id: UUID, body: MovementCreate, caller: Caller, ctx: Ctx, key: IdempotencyKey
) -> Response:
    """Goods in or out, a counted difference, or a transfer to another branch."""
    return answer_response(await service.record_movement(ctx, caller, key, product_id, body))


@history.get("")
async def list_history(
    caller: Caller,
    ctx: Ctx,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
    kind: Annotated[MovementType | None, Query(alias="type")] = None,
) -> Page[MovementOut]:
    """The movements of all products of a business, or of all the caller's, newest first."""
    return await service.list_history(ctx, caller, business_id, paging, branch_id=branch_id, kind=kind)
