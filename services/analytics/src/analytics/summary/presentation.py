"""The summary as a table: one line per figure, so that tables of several days can be put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from analytics.figures import Figure
from analytics.payments.schemas import PaymentFlow
from analytics.summary.schemas import Summary
from analytics.table import Cell, csv_response

HEADER: Final = ("from", "to", "section", "name", "detail", "count", "amount", "currency")


def as_csv(summary: Summary) -> Response:
    first, last = summary.first.isoformat(), summary.last.isoformat()
    rows = ((first, last, *line, summary.currency.value) for line in _lines(summary))
    return csv_response(f"summary_{first}_{last}", HEADER, rows)


def _lines(summary: Summary) -> Iterator[tuple[Cell, ...]]:
    """section, name, detail, count, amount"""
    yield "sales", "completed", None, summary.sales_count, summary.revenue
    yield "sales", "tax", None, None, summary.tax
    yield "sales", "discount", None, None, summary.discount
    yield "sales", "averageTicket", None, None, summary.average_ticket
    yield "sales", "canceled", None, summary.canceled_sales, None
    yield _line("sales", "refunded", None, summary.refunds)
    yield "sales", "netRevenue", None, None, summary.net_revenue
    yield "sales", "rounding", None, None, summary.rounding
    for method in summary.by_payment_method:
        yield "salesByPaymentMethod", method.method, None, method.sales_count, method.revenue
    for tender in summary.tenders:
        yield "tenders", tender.method, "received", tender.received.count, tender.received.amount
        yield "tenders", tender.method, "refunded", tender.refunded.count, tender.refunded.amount
    yield from _flow("payments", None, summary.payments)
    for provider in summary.payments.by_provider:
        yield from _flow("paymentsByProvider", f"{provider.provider} {provider.method}", provider)
    for failure in summary.payments.failure_reasons:
        yield "paymentFailures", failure.reason, None, failure.count, failure.amount
    yield _line("invoices", "issued", None, summary.invoices)
    for kind in summary.invoices_by_kind:
        yield "invoicesByKind", kind.kind, None, kind.count, kind.amount
    yield "cash", "difference", None, summary.cash.closings, summary.cash.difference
    yield "stock", "unitsSold", None, summary.stock.units_sold, None
    yield "stock", "unitsReturned", None, summary.stock.units_returned, None


def _flow(section: str, detail: str | None, flow: PaymentFlow) -> Iterator[tuple[Cell, ...]]:
    yield _line(section, "created", detail, flow.created)
    yield _line(section, "confirmed", detail, flow.confirmed)
    yield _line(section, "failed", detail, flow.failed)
    yield _line(section, "refunded", detail, flow.refunded)


def _line(section: str, name: str, detail: str | None, figure: Figure) -> tuple[Cell, ...]:
    return section, name, detail, figure.count, figure.amount
