"""Drawers as a report's reader gets them. All money is in `currency`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Figure, Total
from analytics.intervals import Interval


class CashTotals(ResponseModel):
    """difference: counted less expected. short and over: the drawers that lacked cash and those that had too much, with
    what they differed by: their sum is the difference."""

    closings: int
    expected: Total
    counted: Total
    difference: Total
    short: Figure
    over: Figure
    needing_approval: int


class RegisterCash(CashTotals):
    """name: as it was at the last closing."""

    register_id: UUID
    branch_id: UUID
    name: str


class CashPoint(CashTotals):
    """date: the first day of the interval, of which only the days within the period are counted."""

    date: date


class CashReport(ResponseModel):
    """A drawer belongs to the day it was opened on. byRegister: the largest difference, either way, first."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    interval: Interval
    totals: CashTotals
    by_register: list[RegisterCash]
    points: list[CashPoint]
    generated_at: UtcDatetime
