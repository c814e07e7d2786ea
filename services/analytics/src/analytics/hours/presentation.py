"""Sales by the hour as a table: one line per hour of the week in which anything was sold."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from analytics.hours.schemas import HoursReport
from analytics.table import csv_response

HEADER: Final = ("weekday", "hour", "salesCount", "revenue", "currency")


def as_csv(report: HoursReport) -> Response:
    rows = ((cell.weekday, cell.hour, cell.sales_count, cell.revenue, report.currency.value) for cell in report.grid)
    return csv_response(f"hours_{report.first}_{report.last}", HEADER, rows)
