"""The summary as its reader gets it. All money is in `currency`; sums of sales include tax."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Figure, Total


class MethodFigures(ResponseModel):
    method: str
    sales_count: int
    revenue: Total


class PaymentFlow(ResponseModel):
    """Each counted on its own day: a payment of Monday that is confirmed on Tuesday is in both days.

    failed: those that still stand as failed; money that came late after all makes a payment confirmed.
    """

    created: Figure
    confirmed: Figure
    failed: Figure
    refunded: Figure


class ProviderFigures(PaymentFlow):
    provider: str
    method: str


class FailureFigures(ResponseModel):
    reason: str
    count: int
    amount: Total


class PaymentFigures(PaymentFlow):
    by_provider: list[ProviderFigures]
    failure_reasons: list[FailureFigures]


class StockFigures(ResponseModel):
    """Units that sales took out of stock and that came back from them."""

    units_sold: int
    units_returned: int


class Summary(ResponseModel):
    """branchId null: all branches that the caller may see. Sales are counted on the day they were completed, canceled
    ones on the day of that. refunds: money given back on completed sales."""

    business_id: UUID
    branch_id: UUID | None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zone: str
    currency: Currency
    sales_count: int
    revenue: Total
    tax: Total
    discount: Total
    average_ticket: Total
    by_payment_method: list[MethodFigures]
    canceled_sales: int
    refunds: Figure
    payments: PaymentFigures
    invoices: Figure
    stock: StockFigures
    generated_at: UtcDatetime
