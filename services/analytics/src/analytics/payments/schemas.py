"""Payments as a report's reader gets them. All money is in `currency`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field, PlainSerializer, WithJsonSchema

from analytics.figures import Figure, Total
from analytics.intervals import Interval

Rate = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[01]\.\d{4}$", "examples": ["0.9312"]}),
]
"""A share of one, as a decimal string of four places."""


class PaymentFlow(ResponseModel):
    """Each counted on its own day: a payment of Monday that is confirmed on Tuesday is in both days.

    failed: those that still stand as failed; money that came late after all makes a payment confirmed. successRate: of
    those that ended on these days, null where none did.
    """

    created: Figure
    confirmed: Figure
    failed: Figure
    refunded: Figure
    success_rate: Rate | None


class ProviderFigures(PaymentFlow):
    provider: str
    method: str


class FailureFigures(ResponseModel):
    reason: str
    count: int
    amount: Total


class ProviderFailures(FailureFigures):
    provider: str


class PaymentFigures(PaymentFlow):
    by_provider: list[ProviderFigures]
    failure_reasons: list[FailureFigures]


class TenderFigures(ResponseModel):
    """What sales received, and refunds gave back, by one way of payment, CASH among them."""

    method: str
    received: Figure
    refunded: Figure


class PaymentsPoint(ResponseModel):
    """date: the first day of the interval, of which only the days within the period are counted."""

    date: date
    created: Figure
    confirmed: Figure
    failed: Figure
    refunded: Figure
    success_rate: Rate | None


class PaymentsReport(ResponseModel):
    """tenders: of completed sales. The rest: of payments at a provider, those without a sale included where the whole
    business is asked for."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    interval: Interval
    tenders: list[TenderFigures]
    payments: PaymentFigures
    failures_by_provider: list[ProviderFailures]
    points: list[PaymentsPoint]
    generated_at: UtcDatetime
