"""The report on payments as a table: one line per provider and method, and one per reason of failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from analytics.payments.schemas import PaymentsReport
from analytics.table import Cell, csv_response

HEADER: Final = ("section", "provider", "name", "figure", "count", "amount", "successRate", "currency")


def as_csv(report: PaymentsReport) -> Response:
    rows = ((*line, report.currency.value) for line in _lines(report))
    return csv_response(f"payments_{report.first}_{report.last}", HEADER, rows)


def _lines(report: PaymentsReport) -> Iterator[tuple[Cell, ...]]:
    """section, provider, name, figure, count, amount, successRate"""
    for tender in report.tenders:
        yield "tenders", None, tender.method, "received", tender.received.count, tender.received.amount, None
        yield "tenders", None, tender.method, "refunded", tender.refunded.count, tender.refunded.amount, None
    for row in report.payments.by_provider:
        for name, each in (
            ("created", row.created),
            ("confirmed", row.confirmed),
            ("failed", row.failed),
            ("refunded", row.refunded),
        ):
            rate = row.success_rate if name == "confirmed" else None
            yield "payments", row.provider, row.method, name, each.count, each.amount, rate
    for failure in report.failures_by_provider:
        yield "failures", failure.provider, failure.reason, "failed", failure.count, failure.amount, None
