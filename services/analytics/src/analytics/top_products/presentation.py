"""The best sellers as a table: one line per product."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from analytics.table import csv_response
from analytics.top_products.schemas import TopProducts

HEADER: Final = ("rank", "productId", "name", "units", "revenue", "returned", "refunded", "share", "currency")


def as_csv(report: TopProducts) -> Response:
    rows = (
        (
            rank,
            str(product.product_id),
            product.name,
            product.units,
            product.revenue,
            product.returned,
            product.refunded,
            product.share,
            report.currency.value,
        )
        for rank, product in enumerate(report.products, 1)
    )
    return csv_response(f"top_products_{report.first}_{report.last}", HEADER, rows)
