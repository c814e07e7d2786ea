"""Stock as a table: one line per branch."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from analytics.stock.schemas import StockReport
from analytics.table import csv_response

HEADER: Final = ("branchId", "products", "units", "costValue", "priceValue", "withoutCost", "currency")


def as_csv(report: StockReport) -> Response:
    rows = (
        (
            str(row.branch_id),
            row.products,
            row.units,
            row.cost_value,
            row.price_value,
            row.without_cost,
            report.currency.value,
        )
        for row in report.by_branch
    )
    return csv_response(f"stock_{report.generated_at:%Y-%m-%d}", HEADER, rows)
