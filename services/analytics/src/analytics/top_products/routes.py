"""GET /api/v1/analytics/top-products"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.query import Asked
from analytics.table import CSV_RESPONSES, wants_csv
from analytics.top_products import service
from analytics.top_products.presentation import as_csv
from analytics.top_products.schemas import Ranking, TopProducts

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["top-products"])


@router.get("/top-products", response_model=Data[TopProducts], responses=CSV_RESPONSES)
async def get_top_products(
    caller: Caller,
    ctx: Ctx,
    query: Asked,
    request: Request,
    by: Annotated[Ranking, Query(description="What they are ranked by")] = Ranking.REVENUE,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Data[TopProducts] | Response:
    """The products that sold best, by money or by units."""
    report = await service.top_products(ctx, caller, query, by, limit)
    return as_csv(report) if wants_csv(request.headers.get("accept")) else Data(data=report)
