"""GET /api/v1/analytics/hours"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.hours import service
from analytics.hours.presentation import as_csv
from analytics.hours.schemas import HoursReport
from analytics.query import Asked
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["hours"])


@router.get("/hours", response_model=Data[HoursReport], responses=CSV_RESPONSES)
async def get_hours(caller: Caller, ctx: Ctx, query: Asked, request: Request) -> Data[HoursReport] | Response:
    """Sales by hour of the day and day of the week, on the shop's own clock."""
    report = await service.hours(ctx, caller, query)
    return as_csv(report) if wants_csv(request.headers.get("accept")) else Data(data=report)
