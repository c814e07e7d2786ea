"""The summary as its reader gets it. All money is in `currency`; sums of sales include tax."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime
from kernel import Currency
from pydantic import Field

from analytics.figures import Figure, Total
from analytics.payments.schemas import PaymentFigures, TenderFigures


class MethodFigures(ResponseModel):
    method: str
    sales_count: int
    revenue: Total


class InvoiceFigures(ResponseModel):
    kind: str
    count: int
    amount: Total


class CashFigures(ResponseModel):
    """Drawers that were closed; difference is what was counted less what there should have been."""

    closings: int
    difference: Total


class StockFigures(ResponseModel):
    """Units of completed sales, and those taken back."""

    units_sold: int
    units_returned: int


class Summary(ResponseModel):
    """branchId null: all branches that the caller may see. Sales are counted on the day they were completed, canceled
    ones on the day of that. refunds: what was given back of sales, in cash or by a provider, on the day of that;
    netRevenue is revenue less it. tenders: what came in by each way of payment, a split sale in each of its own;
    rounding is by how much they exceed revenue, where cash is rounded. invoices: all but credit notes.
    """

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
    tenders: list[TenderFigures]
    rounding: Total
    canceled_sales: int
    refunds: Figure
    net_revenue: Total
    payments: PaymentFigures
    invoices: Figure
    invoices_by_kind: list[InvoiceFigures]
    cash: CashFigures
    stock: StockFigures
    generated_at: UtcDatetime
