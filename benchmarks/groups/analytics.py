"""What a report over 1,000,000 sales costs: from the facts, from the aggregates, and from Redis."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import asyncpg

from benchmarks.bench import Bench, Group
from benchmarks.shop import Shop, open_shop
from benchmarks.table import Row

_SALES: Final = 1_000_000
_DAYS: Final = 365
_PERIOD: Final = "from=2025-01-01&to=2025-12-31"
# Sales all through the year, of three ways to be paid, each of one line.
_SEED_SALES: Final = """
INSERT INTO sale_facts (id, version, business_id, branch_id, status, payment_method, currency, subtotal, discount, tax,
    total, time_zone, created_at, created_day, completed_at, completed_day, completed_hour)
SELECT md5($1::uuid::text || n)::uuid, 1, $1::uuid, $2::uuid, 'COMPLETED',
    (ARRAY['CASH', 'QR_DYNAMIC', 'PAYMENT_LINK'])[1 + n % 3],
    'MXN', 100, 0, 16, 116, 'America/Mexico_City', at, day, at, day, 9 + n % 12
FROM generate_series(1, $3::int) AS n, LATERAL (SELECT date '2025-01-01' + n % $4::int AS day) AS d,
    LATERAL (SELECT day + interval '18 hours' AS at) AS t
"""
_SEED_PARTS: Final = """
INSERT INTO sale_part_facts (sale_id, part, business_id, branch_id, currency, completed_day, method, amount)
SELECT id, 0, business_id, branch_id, currency, completed_day, payment_method, total FROM sale_facts
WHERE business_id = $1::uuid
"""
_SEED_LINES: Final = """
INSERT INTO sale_line_facts (sale_id, line, business_id, branch_id, currency, completed_day, product_id, name, quantity,
    unit_price, discount, tax, total)
SELECT id, 0, business_id, branch_id, currency, completed_day, md5((completed_hour)::text)::uuid, 'Café', 1, 116, 0, 16,
    total FROM sale_facts WHERE business_id = $1::uuid
"""
_MARK: Final = (
    "INSERT INTO stale_days (business_id, day) SELECT $1::uuid, date '2025-01-01' + n FROM generate_series(0, 364) n"
)


async def measure(bench: Bench) -> None:
    shop = await open_shop(bench.gateway)
    print(f"  … writing {_SALES:,} sales", flush=True)
    connection = await asyncpg.connect(bench.suite.database_url("analytics"))
    try:
        await connection.execute(_SEED_SALES, shop.business_id, shop.branch_id, _SALES, _DAYS, timeout=600)
        for statement in (_SEED_PARTS, _SEED_LINES):
            await connection.execute(statement, shop.business_id, timeout=600)
        for table in ("sale_facts", "sale_part_facts", "sale_line_facts"):
            await connection.execute(f"ANALYZE {table}", timeout=600)
        await connection.execute(_MARK, shop.business_id)
        started = time.monotonic()
        # The service's own job sums them, within a minute or two of its own accord.
        while await connection.fetchval(
            "SELECT count(*) FROM stale_days WHERE business_id = $1::uuid", shop.business_id
        ):
            if time.monotonic() - started > 300:
                raise TimeoutError("the days of analytics are not summed")
            await asyncio.sleep(1)
    finally:
        await connection.close()
    for name, more, floor, aim in (("computed", "&fresh=true", 250, 100), ("from Redis", "", 25, 10)):
        load = bench.get(bench.gateway, f"/analytics/summary?{_query(shop)}{more}", shop=shop, connections=1)
        what = f"summary of a year with {_SALES:,} sales, {name}"
        bench.table.add(
            Row(what, f"p50 {load.p50:.1f} ms", "", load.p50, " ms", floor=floor, aim=aim, higher_is_better=False)
        )


def _query(shop: Shop) -> str:
    return f"businessId={shop.business_id}&{_PERIOD}"


GROUP = Group("analytics", 910, measure, slow=True)
