"""What a page of sales costs where there are a hundred times as many, one client at a time."""

from __future__ import annotations

import asyncpg

from benchmarks.bench import Bench, Group
from benchmarks.shop import CROWD, SEEDED, Shop, open_shop
from benchmarks.table import Row
from benchmarks.tools import Load

_DEEP = 9_980
# Sales of one line, a second apart, each with the id of its number.
_SEED = """
WITH sold AS (
    INSERT INTO sales (id, business_id, branch_id, created_by, status, version, created_at, updated_at, basket,
                       currency, time_zone, subtotal, discount, tax, total, payment_method, cash_amount, tendered,
                       change, payment_status, payment_version, refunded_amount, completed_at, step, resume_attempts)
    SELECT (lpad(to_hex($4::bigint + n), 32, '0'))::uuid, $1::uuid, $2::uuid, $1::uuid, 'COMPLETED', 3,
           now() - n * interval '1 second', now(), '{"items": [], "discount": "0"}', 'MXN', 'America/Mexico_City',
           129.74, 0, 20.76, 150.50, 'CASH', 150.50, 150.50, 0, 'CONFIRMED', 0, 0, now(), 'SETTLED', 0
    FROM generate_series(1, $3::int) AS n
    RETURNING id
)
INSERT INTO sale_items (id, sale_id, business_id, position, product_id, name, quantity, unit_price, discount, tax_rate,
                        tax, total)
SELECT gen_random_uuid(), id, $1::uuid, 0, $1::uuid, 'Café', 1, 150.50, 0, 0.16, 20.76, 150.50 FROM sold
"""


async def measure(bench: Bench) -> None:
    few_shop, many_shop = await open_shop(bench.gateway), await open_shop(bench.gateway)
    await _seed(bench, few_shop, SEEDED, after=0)
    few = [_page(bench, few_shop), _page(bench, few_shop, cursor=await few_shop.cursor_after(_DEEP, "sales"))]
    print(f"  … writing {CROWD:,} sales", flush=True)
    await _seed(bench, many_shop, CROWD, after=SEEDED)
    await many_shop.log_in()
    many = [_page(bench, many_shop), _page(bench, many_shop, cursor=await many_shop.cursor_after(_DEEP, "sales"))]
    for name, small, large in zip(("first page", "10,000th row by cursor"), few, many, strict=True):
        bench.table.add(
            Row(
                f"{name} of {CROWD:,} sales",
                f"p50 {large.p50:.1f} ms",
                f"of {SEEDED:,}: p50 {small.p50:.1f} ms",
                large.p50 / small.p50,
                floor=2,
                aim=1.1,
                higher_is_better=False,
            )
        )


async def _seed(bench: Bench, shop: Shop, count: int, *, after: int) -> None:
    connection = await asyncpg.connect(bench.suite.database_url("sales"))
    try:
        await connection.execute(_SEED, shop.business_id, shop.branch_id, count, after, timeout=900)
        await connection.execute("VACUUM ANALYZE sales", timeout=600)
        await connection.execute("VACUUM ANALYZE sale_items", timeout=600)
    finally:
        await connection.close()


def _page(bench: Bench, shop: Shop, *, cursor: str | None = None) -> Load:
    query = f"businessId={shop.business_id}&limit=20" + (f"&cursor={cursor}" if cursor else "")
    return bench.get(bench.gateway, f"/sales?{query}", shop=shop, connections=1)


GROUP = Group("sales-lists", 910, measure, slow=True)
