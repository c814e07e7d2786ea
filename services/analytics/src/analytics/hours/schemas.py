"""Sales by the hour, as a report's reader gets them. All money is in `currency` and includes tax."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Total


class HourFigures(ResponseModel):
    """hour: 0 to 23 on the shop's clock; the hour that an autumn night has twice is one."""

    hour: int
    sales_count: int
    revenue: Total


class WeekdayFigures(ResponseModel):
    """weekday: 1 is Monday (ISO 8601)."""

    weekday: int
    sales_count: int
    revenue: Total


class CellFigures(ResponseModel):
    weekday: int
    hour: int
    sales_count: int
    revenue: Total


class HoursReport(ResponseModel):
    """hours and weekdays are whole; grid has only the hours of the week in which anything was sold."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    hours: list[HourFigures]
    weekdays: list[WeekdayFigures]
    grid: list[CellFigures]
    generated_at: UtcDatetime
