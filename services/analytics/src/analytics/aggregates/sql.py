"""What is summed, and how. The same SELECTs fill the aggregates and answer for days whose aggregates are stale.

Parameters: business, days (date[]). Columns: those of the table in `aggregates.models`, without business_id.

    measure            key, detail              number, amount
    sale               payment method           completed sales, their totals (tax and discount beside them)
    sale_canceled      reason                   sales given up for good
    tender             way of payment           parts of completed sales, as received: rounding of cash included
    refund                                      refunds of sales
    tender_refunded    way of payment           parts of refunds, as given
    payment_created    provider, method         payments of that day
    payment_confirmed  provider, method         those whose money came
    payment_failed     provider, method         those that still stand as failed
    payment_declined   provider, reason         the same by what was said
    payment_refunded   provider, method         refunds that a provider has made
    invoice            kind                     documents issued
    units                                       sold or returned (detail), as number
"""

from __future__ import annotations

from typing import Final

_OF_SALE: Final = "LEFT JOIN sale_facts AS s ON s.id = f.sale_id AND s.business_id = f.business_id"
_NO_BRANCH: Final = "'00000000-0000-0000-0000-000000000000'::uuid"


def _measure(
    name: str,
    table: str,
    day: str,
    *,
    key: str = "''",
    detail: str = "''",
    amount: str = "f.amount",
    number: str = "count(*)",
    tax: str = "0",
    discount: str = "0",
    where: str = "",
    of_sale: bool = False,
) -> str:
    branch = f"coalesce(s.branch_id, {_NO_BRANCH})" if of_sale else "f.branch_id"
    return (
        f"SELECT f.{day} AS day, {branch} AS branch_id, f.currency, '{name}' AS measure, {key} AS key,"  # noqa: S608
        f" {detail} AS detail, ({number})::bigint AS number, sum({amount}) AS amount, sum({tax})::numeric AS tax,"
        f" sum({discount})::numeric AS discount FROM {table} AS f {_OF_SALE if of_sale else ''}"
        f" WHERE f.business_id = :business AND f.{day} = ANY (CAST(:days AS date[])) {where} GROUP BY 1, 2, 3, 5, 6"
    )


_BY_PROVIDER: Final = {"key": "f.provider", "detail": "f.method", "of_sale": True}
_FAILED: Final = "AND f.status = 'FAILED'"

FIGURES: Final = " UNION ALL ".join(
    (
        _measure(
            "sale",
            "sale_facts",
            "completed_day",
            key="f.payment_method",
            amount="f.total",
            tax="f.tax",
            discount="f.discount",
        ),
        _measure(
            "sale_canceled",
            "sale_facts",
            "canceled_day",
            key="coalesce(f.cancel_reason, '')",
            amount="f.total",
            where="AND f.completed_day IS NULL",
        ),
        _measure("tender", "sale_part_facts", "completed_day", key="f.method"),
        _measure("refund", "sale_refund_facts", "refunded_day", tax="f.tax"),
        _measure("tender_refunded", "sale_refund_part_facts", "refunded_day", key="f.method"),
        _measure("payment_created", "payment_facts", "created_day", **_BY_PROVIDER),  # type: ignore[arg-type]
        _measure("payment_confirmed", "payment_facts", "confirmed_day", **_BY_PROVIDER),  # type: ignore[arg-type]
        _measure("payment_failed", "payment_facts", "failed_day", where=_FAILED, **_BY_PROVIDER),  # type: ignore[arg-type]
        _measure(
            "payment_declined",
            "payment_facts",
            "failed_day",
            key="f.provider",
            detail="coalesce(f.failure_reason, 'unknown')",
            where=_FAILED,
            of_sale=True,
        ),
        _measure("payment_refunded", "refund_facts", "refunded_day", **_BY_PROVIDER),  # type: ignore[arg-type]
        _measure("invoice", "invoice_facts", "issued_day", key="f.kind", amount="f.total"),
        _measure(
            "units", "sale_line_facts", "completed_day", detail="'sold'", number="sum(f.quantity)", amount="f.total"
        ),
        _measure("units", "sale_refund_line_facts", "refunded_day", detail="'returned'", number="sum(f.quantity)"),
    )
)

HOURS: Final = (
    "SELECT f.completed_day AS day, f.completed_hour AS hour, f.branch_id, f.currency, count(*) AS number,"
    " sum(f.total) AS revenue, sum(f.tax) AS tax, sum(f.discount) AS discount FROM sale_facts AS f"
    " WHERE f.business_id = :business AND f.completed_day = ANY (CAST(:days AS date[])) GROUP BY 1, 2, 3, 4"
)

PRODUCTS: Final = (
    "SELECT day, branch_id, currency, product_id, max(name) AS name, sum(sold)::bigint AS sold,"
    " sum(revenue) AS revenue, sum(returned)::bigint AS returned, sum(refunded) AS refunded FROM ("
    "SELECT completed_day AS day, branch_id, currency, product_id, name, quantity AS sold, total AS revenue,"
    " 0 AS returned, 0 AS refunded FROM sale_line_facts"
    " WHERE business_id = :business AND completed_day = ANY (CAST(:days AS date[]))"
    " UNION ALL SELECT refunded_day, branch_id, currency, product_id, name, 0, 0, quantity, amount"
    " FROM sale_refund_line_facts WHERE business_id = :business AND refunded_day = ANY (CAST(:days AS date[]))"
    ") AS line GROUP BY 1, 2, 3, 4"
)

TABLES: Final = {"daily_figures": FIGURES, "hourly_sales": HOURS, "daily_products": PRODUCTS}
"""What fills which table."""

COLUMNS: Final = {
    "daily_figures": "day, branch_id, currency, measure, key, detail, number, amount, tax, discount",
    "hourly_sales": "day, hour, branch_id, currency, number, revenue, tax, discount",
    "daily_products": "day, branch_id, currency, product_id, name, sold, revenue, returned, refunded",
}
