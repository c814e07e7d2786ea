"""GET /api/v1/analytics/sales"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.intervals import Interval
from analytics.query import Asked
from analytics.sales import service
from analytics.sales.presentation import as_csv
from analytics.sales.schemas import SalesSeries
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["sales-report"])


@router.get("/sales", response_model=Data[SalesSeries], responses=CSV_RESPONSES)
async def get_sales(
    caller: Caller, ctx: Ctx, query: Asked, request: Request, interval: Annotated[Interval, Query()] = Interval.DAY
) -> Data[SalesSeries] | Response:
    """Completed sales by day, week or month of the business's calendar; today by default."""
    series = await service.series(ctx, caller, query, interval)
    return as_csv(series) if wants_csv(request.headers.get("accept")) else Data(data=series)
