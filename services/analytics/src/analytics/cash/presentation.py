"""The report on drawers as a table: one line per interval."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from analytics.cash.schemas import CashReport
from analytics.table import csv_response

HEADER: Final = (
    "date",
    "closings",
    "expected",
    "counted",
    "difference",
    "short",
    "over",
    "needingApproval",
    "currency",
)


def as_csv(report: CashReport) -> Response:
    rows = (
        (
            point.date.isoformat(),
            point.closings,
            point.expected,
            point.counted,
            point.difference,
            point.short.amount,
            point.over.amount,
            point.needing_approval,
            report.currency.value,
        )
        for point in report.points
    )
    return csv_response(f"cash_by_{report.interval.value}_{report.first}_{report.last}", HEADER, rows)
