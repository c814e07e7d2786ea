"""REST: /api/v1/sales/sync."""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.schemas import Data
from fastapi import APIRouter, Request
from starlette.responses import Response

from sales.context import SalesContext
from sales.sales.drafts import browser_of
from sales.sync import service
from sales.sync.schemas import SyncIn, SyncOut

router = APIRouter(prefix="/api/v1/sales", tags=["sales"])

Ctx = Annotated[SalesContext, context_of(SalesContext)]


@router.post("/sync", status_code=200, response_model=Data[SyncOut])
async def sync(request: Request, body: SyncIn, ctx: Ctx, caller: Caller, key: IdempotencyKey) -> Response:
    """What a till sold in cash while it was offline, at most 100 sales a call, each on its own: one that is refused
    does not stop the others. Send it again as often as needed, in any order: a sale is told from another by its id,
    and entered once.

    Nothing is refused for want of stock, or because the drawer was closed meanwhile; prices are those of `soldAt`.
    """
    return answer_response(await service.sync(ctx, caller, body, key, browser_of(request)))
