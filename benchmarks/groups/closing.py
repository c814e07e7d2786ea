"""A drawer is closed after ten sales and after a hundred thousand: it should take the same time."""

from __future__ import annotations

import statistics
import time
from uuid import UUID

import asyncpg

from benchmarks.bench import Bench, Group
from benchmarks.shop import Shop, post
from benchmarks.table import Row

_FEW, _MANY = 10, 100_000
_TIMES = 5

# What the ledger's own statement leaves behind after that many cash sales of 10.00, but in one go.
SEED = """
WITH drawer AS (
    UPDATE cash_sessions SET entries = entries + $2::int, expected = expected + 10 * $2::int WHERE id = $1
    RETURNING *
), summed AS (
    INSERT INTO cash_totals (session_id, business_id, kind, method, created_by, late, amount, count)
    SELECT id, business_id, 'SALE', 'CASH', opened_by, false, 10 * $2::int, $2::int FROM drawer
)
INSERT INTO cash_entries (id, business_id, branch_id, register_id, session_id, position, kind, method, amount, balance,
                          late, reference, created_by, created_at)
SELECT gen_random_uuid(), business_id, branch_id, register_id, id, entries - $2::int + n, 'SALE', 'CASH', 10,
       expected - 10 * ($2::int - n), false, gen_random_uuid(), opened_by, now()
FROM drawer, generate_series(1, $2::int) AS n
"""


async def measure(bench: Bench) -> None:
    few = [await _closing(bench, _FEW) for _ in range(_TIMES)]
    many = [await _closing(bench, _MANY) for _ in range(_TIMES)]
    small, large = statistics.median(few), statistics.median(many)
    bench.table.add(
        Row(
            f"closing a drawer after {_MANY:,} sales",
            f"median {large:.1f} ms of {_TIMES}",
            f"after {_FEW}: {small:.1f} ms",
            large / small,
            floor=2,
            aim=1.2,
            higher_is_better=False,
        )
    )


async def _closing(bench: Bench, sales: int) -> float:
    """Milliseconds that one took, through the gateway."""
    shop: Shop = bench.shop
    body = {"businessId": shop.business_id, "branchId": shop.branch_id, "name": f"Caja {time.monotonic_ns()}"}
    register = (await post(bench.gateway, "/cash-registers", body, shop.token))["id"]
    opened = await post(bench.gateway, f"/cash-registers/{register}/open", {"openingCash": "500.00"}, shop.token)
    connection = await asyncpg.connect(bench.suite.database_url("sales"))
    try:
        await connection.execute(SEED, UUID(opened["id"]), sales, timeout=120)
    finally:
        await connection.close()
    bench.settle()
    counted = {"closingCash": f"{500 + 10 * sales}.00"}
    began = time.perf_counter()
    closed = await post(bench.gateway, f"/cash-registers/{register}/close", counted, shop.token)
    took = 1000 * (time.perf_counter() - began)
    if closed["difference"] != "0.00":
        raise RuntimeError(f"the drawer does not add up: {closed}")
    return took


GROUP = Group("closing", 300, measure, slow=True)
