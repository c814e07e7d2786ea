"""GET /api/v1/analytics/cash"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analytics.cash import service
from analytics.cash.presentation import as_csv
from analytics.cash.schemas import CashReport
from analytics.context import AnalyticsContext
from analytics.intervals import Interval
from analytics.query import Asked
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["cash"])


@router.get("/cash", response_model=Data[CashReport], responses=CSV_RESPONSES)
async def get_cash(
    caller: Caller, ctx: Ctx, query: Asked, request: Request, interval: Annotated[Interval, Query()] = Interval.DAY
) -> Data[CashReport] | Response:
    """Drawers that were closed, and how what was counted differs from what there should have been."""
    report = await service.cash(ctx, caller, query, interval)
    return as_csv(report) if wants_csv(request.headers.get("accept")) else Data(data=report)
