"""REST: /api/v1/sales/:id/refund and its refunds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page
from chassis.http.schemas import Data, Page
from fastapi import APIRouter
from starlette.responses import Response

from sales.context import SalesContext
from sales.refunds import presentation, service
from sales.refunds.schemas import RefundIn, RefundOut

router = APIRouter(prefix="/api/v1/sales", tags=["sales"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.post("/{sale_id}/refund", status_code=201, response_model=Data[RefundOut])
async def refund(
    sale_id: UUID, ctx: Ctx, caller: Caller, key: IdempotencyKey, body: RefundIn | None = None
) -> Response:
    """Give a sold sale back, whole, by items or as money alone. The money goes back the way it came, cash first; the
    goods return to stock unless `restock` is false.

    201 with `status` SUCCEEDED, or PENDING while the payment provider takes its time: the cash part and the goods then
    wait for it. An employee refunds up to a limit per sale; 403 `refund_needs_owner` beyond it.
    """
    return answer_response(await service.refund(ctx, caller, sale_id, body or RefundIn(), key))


@router.get("/{sale_id}/refunds", response_model=Page[RefundOut])
async def find_refunds(sale_id: UUID, ctx: Ctx, caller: Caller, paging: Paging) -> Page[RefundOut]:
    """Newest first; those that failed are there, too."""
    sale, found = await service.find(ctx, caller, sale_id, paging)
    return as_page(found, lambda row: presentation.present(sale, row[0]))
