"""GET /api/v1/analytics/summary"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.query import Asked
from analytics.summary import service
from analytics.summary.presentation import as_csv
from analytics.summary.schemas import Summary
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["summary"])


@router.get("/summary", response_model=Data[Summary], responses=CSV_RESPONSES)
async def get_summary(caller: Caller, ctx: Ctx, query: Asked, request: Request) -> Data[Summary] | Response:
    """Sales, payments, refunds, invoices and units of some days of the business's calendar; today by default."""
    summary = await service.summary(ctx, caller, query)
    return as_csv(summary) if wants_csv(request.headers.get("accept")) else Data(data=summary)
