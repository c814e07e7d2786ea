"""From a completed sale to its document: built, signed, accepted by the authority, printed and stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import asyncpg
from stack.countries import shop_of
from stack.fiscal_examples import example_of
from twins.testing import ask

from benchmarks.bench import Bench, Group
from benchmarks.percentiles import Delay
from benchmarks.shop import Shop, open_shop, post
from benchmarks.table import Row

# Mexico makes no document of each sale: what nobody asks an invoice for is put together by day, week or month.
_COUNTRIES: Final = ("AR", "CL", "CO")
# What one counter does at its busiest.
_SALES_A_SECOND: Final = 4
_PATIENCE: Final = 60.0
_FLOOR_MS: Final = 5_000
_AIM_MS: Final = 1_000

_ISSUED: Final = """
SELECT extract(epoch FROM issued_at - sold_at) * 1000 AS delay FROM invoices
WHERE business_id = $1 AND kind = 'TICKET' AND status = 'ISSUED'
"""


async def measure(bench: Bench) -> None:
    for country in _COUNTRIES:
        await _measure(bench, country)


async def _measure(bench: Bench, country: str) -> None:
    shop = await open_shop(bench.gateway, country)
    await _enrol(bench, shop, country)
    sales = _SALES_A_SECOND * 5 * bench.seconds
    for _ in range(sales):
        await _sell(shop)
        await asyncio.sleep(1 / _SALES_A_SECOND)
    delays = await _issued(bench, shop, sales)
    delay = Delay.of(delays)
    bench.table.add(
        Row(
            f"{country} sale completed to document issued, p99",
            f"p50 {delay.p50:.0f} ms, p99 {delay.p99:.0f} ms, {sales - len(delays)} left",
            f"{_SALES_A_SECOND} sales/s of one shop; the authority's twin answers at once",
            delay.p99,
            "ms",
            _FLOOR_MS,
            _AIM_MS,
            higher_is_better=False,
        )
    )
    bench.settle()


async def _enrol(bench: Bench, shop: Shop, country: str) -> None:
    """Make the shop an issuer, with the certificates and numbers that the twin gives out."""
    example = example_of(country)
    assert example is not None
    async with aiohttp.ClientSession() as session:

        async def control(path: str, body: Mapping[str, object]) -> dict[str, Any]:
            return await ask(session, "POST", f"{bench.suite.twins_url}{path}", dict(body))

        profile = await example.profile(shop_of(country), control)
        url = f"{bench.gateway}/api/v1/fiscal-profiles/{shop.business_id}"
        async with session.put(url, json=profile, headers=shop.headers) as answer:
            assert answer.status == 200, await answer.text()


async def _sell(shop: Shop) -> None:
    body = {
        "businessId": shop.business_id,
        "items": [{"productId": shop.product_id, "quantity": 2}],
        "payment": {"method": "CASH"},
    }
    await post(shop.gateway, "/sales", body, shop.token)


async def _issued(bench: Bench, shop: Shop, sales: int) -> list[float]:
    """Milliseconds of each document that was issued in time."""
    connection = await asyncpg.connect(bench.suite.database_url("billing"))
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            rows = await connection.fetch(_ISSUED, shop.business_id)
            if len(rows) >= sales or time.monotonic() > deadline:
                return [float(row["delay"]) for row in rows]
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


GROUP = Group("documents", 150, measure)
