"""Sales over time as a table."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from analytics.sales.schemas import SalesSeries
from analytics.table import csv_response

HEADER: Final = ("date", "salesCount", "revenue", "tax", "discount", "averageTicket", "currency")


def as_csv(series: SalesSeries) -> Response:
    rows = (
        (
            point.date.isoformat(),
            point.sales_count,
            point.revenue,
            point.tax,
            point.discount,
            point.average_ticket,
            series.currency.value,
        )
        for point in series.points
    )
    return csv_response(f"sales_by_{series.interval.value}_{series.first}_{series.last}", HEADER, rows)
