"""Sales over time as their reader gets them. All money is in `currency` and includes tax."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Total
from analytics.intervals import Interval


class SalesPoint(ResponseModel):
    """date: the first day of the interval, of which only the days within the period are counted."""

    date: date
    sales_count: int
    revenue: Total
    tax: Total
    discount: Total
    average_ticket: Total


class SalesSeries(ResponseModel):
    """One point for every interval, also where nothing was sold."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    interval: Interval
    points: list[SalesPoint]
    generated_at: UtcDatetime
