"""Events of reports."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from contracts.events.base import DomainEvent, EventModel, MoneyAmount


class ReportDay(EventModel):
    """previous: the revenue of the same weekday a week before."""

    day: date
    sales: int
    revenue: MoneyAmount
    previous: MoneyAmount


class ReportProduct(EventModel):
    name: str
    units: int
    revenue: MoneyAmount


class ReportWeeklyReady(DomainEvent):
    """A week of a business is over, Monday to Sunday by its own clock: told once, on the morning after.

    revenue includes tax; refunds were given back within the week. cash_difference: counted less expected, of closed
    drawers. busiest_hour: 0 to 23, None of a week without sales. products: the best sellers, best first.
    """

    type: ClassVar[str] = "report.weekly_ready"
    aggregate_type: ClassVar[str] = "report"

    first: date
    last: date
    time_zone: str
    sales: int
    previous_sales: int
    revenue: MoneyAmount
    previous_revenue: MoneyAmount
    average_ticket: MoneyAmount
    refunds: MoneyAmount
    cash_difference: MoneyAmount
    days: list[ReportDay]
    products: list[ReportProduct] = Field(default_factory=list)
    busiest_hour: int | None = None
