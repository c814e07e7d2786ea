"""REST: /api/v1/sales."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page, Text
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from sales.context import SalesContext
from sales.sales import presentation, service
from sales.sales.drafts import browser_of
from sales.sales.schemas import CancelIn, SaleIn, SaleOut
from sales.sales.service import SaleQuery
from sales.sales.status import PaymentMethod, SaleStatus

router = APIRouter(prefix="/api/v1/sales", tags=["sales"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.post("", status_code=201, response_model=Data[SaleOut])
async def create(request: Request, body: SaleIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """Sell. Prices, names and tax rates come from the catalogue, goods are reserved until the payment's expiry.

    201 with `status` COMPLETED (cash) or PENDING_PAYMENT and what the buyer needs to pay in `payment`. 503 says that a
    service did not answer: send the same request with the same Idempotency-Key again.
    """
    return answer_response(await service.create(ctx, caller, body, key, browser_of(request)))


@router.get("", response_model=Page[SaleOut])
async def find(
    ctx: Ctx,
    caller: Caller,
    paging: Paging,
    business_id: Annotated[UUID | None, Query(alias="businessId")] = None,
    branch_id: Annotated[UUID | None, Query(alias="branchId")] = None,
    status: Annotated[SaleStatus | None, Query()] = None,
    created_from: Annotated[AwareDatetime | None, Query(alias="from", description="Inclusive")] = None,
    created_to: Annotated[AwareDatetime | None, Query(alias="to", description="Exclusive")] = None,
    method: Annotated[PaymentMethod | None, Query(description="A split sale is found by either of its methods")] = None,
    cash_session_id: Annotated[UUID | None, Query(alias="cashSessionId")] = None,
    created_by: Annotated[UUID | None, Query(alias="createdBy")] = None,
    q: Annotated[
        Text | None, Query(description="Words of the notes, or the last 8 characters of the sale's id")
    ] = None,
) -> Page[SaleOut]:
    """Newest first. An employee sees the sales of their branches."""
    query = SaleQuery(business_id, branch_id, status, created_from, created_to, method, cash_session_id, created_by, q)
    found = await service.find(ctx, caller, query, paging)
    return as_page(found, lambda row: presentation.present(row[0], ctx.cipher))


@router.get("/{sale_id}", response_model=Data[SaleOut])
async def get(sale_id: UUID, ctx: Ctx, caller: Caller) -> Data[SaleOut]:
    return Data(data=presentation.present(await service.get(ctx, caller, sale_id), ctx.cipher))


@router.post("/{sale_id}/cancel", status_code=200, response_model=Data[SaleOut])
async def cancel(
    sale_id: UUID, ctx: Ctx, caller: Caller, key: IdempotencyKey, body: CancelIn | None = None
) -> Response:
    """Call off a sale in PENDING_PAYMENT; the goods return to stock. 409 `sale_already_paid` when the buyer was
    faster: the sale then completes. `cashToReturn`: what to hand back of a split payment whose cash was taken."""
    return answer_response(await service.cancel(ctx, caller, sale_id, key))
