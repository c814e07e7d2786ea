"""GET /api/v1/analytics/stock"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.query import Asked
from analytics.stock import service
from analytics.stock.presentation import as_csv
from analytics.stock.schemas import StockReport
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["stock-report"])


@router.get("/stock", response_model=Data[StockReport], responses=CSV_RESPONSES)
async def get_stock(caller: Caller, ctx: Ctx, query: Asked, request: Request) -> Data[StockReport] | Response:
    """What is on the shelves now and what it is worth, and how it moved within the days."""
    report = await service.stock(ctx, caller, query)
    return as_csv(report) if wants_csv(request.headers.get("accept")) else Data(data=report)
