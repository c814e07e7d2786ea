"""GET /api/v1/analytics/payments"""

from __future__ import annotations

from typing import Annotated

from chassis.http.app import Caller, context_of
from chassis.http.schemas import Data
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analytics.context import AnalyticsContext
from analytics.intervals import Interval
from analytics.payments import service
from analytics.payments.presentation import as_csv
from analytics.payments.schemas import PaymentsReport
from analytics.query import Asked
from analytics.table import CSV_RESPONSES, wants_csv

Ctx = Annotated[AnalyticsContext, context_of(AnalyticsContext)]

router = APIRouter(prefix="/api/v1/analytics", tags=["payments-report"])


@router.get("/payments", response_model=Data[PaymentsReport], responses=CSV_RESPONSES)
async def get_payments(
    caller: Caller, ctx: Ctx, query: Asked, request: Request, interval: Annotated[Interval, Query()] = Interval.DAY
) -> Data[PaymentsReport] | Response:
    """Payments by method and provider, how many succeed, and why the others do not."""
    report = await service.payments(ctx, caller, query, interval)
    return as_csv(report) if wants_csv(request.headers.get("accept")) else Data(data=report)
