"""A large catalogue: searching a million products of one merchant, and a hundred thousand from a file."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

import aiohttp
import asyncpg
from stack.suite import Suite

from benchmarks.bench import Bench, Group
from benchmarks.shop import Shop, open_shop
from benchmarks.table import Row

PRODUCTS: Final = 1_000_000
_ROWS: Final = 100_000
_SEARCHES: Final = 300
_THINGS: Final = ("Café", "Leche", "Azúcar", "Jabón", "Champú", "Chocolate", "Atún", "Pão", "Limão", "Mermelada")
_KINDS: Final = ("grande", "chico", "molido", "soluble", "orgánico", "integral", "clásico", "económico", "natural")
# A word, a beginning, a barcode, two words, what nobody has, and two with a wrong letter.
_QUERIES: Final = ("cafe", "choc", "7500{0:06}", "jabon marca{0}", "SKU-{0}", "inexistente", "mermelda", "chocolte")

_SEED: Final = """
INSERT INTO products (id, business_id, name, sku, barcode, category, currency, price, tax_rate, created_at, updated_at)
SELECT gen_random_uuid(), $1,
       ($3::text[])[1 + n % 10] || ' ' || ($4::text[])[1 + n / 10 % 9] || ' marca' || n::bigint * 7919 % 20000,
       'SKU-' || n, '7500' || lpad(n::text, 9, '0'), 'Categoría ' || n % 40, 'MXN', 10 + n % 500, 0.16,
       now() - n * interval '1 second', now()
FROM generate_series($2::int, $2::int + 19999) AS n
"""


async def measure(bench: Bench) -> None:
    await _import(bench)
    shop = await open_shop(bench.gateway)
    print(f"  … writing {PRODUCTS:,} products", flush=True)
    await _seed(bench.suite, shop.business_id)
    await shop.log_in()
    took = await _search(shop)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    bench.table.add(
        Row(
            f"search of {PRODUCTS:,} products of one merchant, p99",
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, uncached, a quarter with a typo",
            f"{_SEARCHES} searches one by one, through the gateway",
            p99,
            "ms",
            floor=1_000,
            aim=300,
            higher_is_better=False,
        )
    )


async def _import(bench: Bench) -> None:
    shop = await open_shop(bench.gateway)
    lines = [f"I-{n},Producto {n},{n % 900}.50,Categoría {n % 40},{n % 50}" for n in range(_ROWS)]
    content = "\n".join(("sku,nombre,precio,categoría,existencias", *lines)).encode()
    url = f"{bench.suite.gateway_url}/api/v1/products/import?businessId={shop.business_id}"
    headers = shop.headers | {"Content-Type": "text/csv", "Idempotency-Key": f"bench-{shop.business_id}"}
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, session.post(url, data=content, headers=headers) as answer:
        said = await answer.json()
        if answer.status != 201 or said["data"]["created"] != _ROWS:
            raise RuntimeError(f"The import answered {answer.status}: {said}")
    seconds = time.perf_counter() - began
    bench.table.add(
        Row(
            f"import of {_ROWS:,} products with stock",
            f"{seconds:.1f} s, {_ROWS / seconds:,.0f} rows/s",
            "through the gateway, with movements and events",
            seconds,
            "s",
            floor=60,
            aim=30,
            higher_is_better=False,
        )
    )
    bench.settle()


async def _seed(suite: Suite, business_id: str) -> None:
    """As an administrator: without triggers, and with the search's indexes built afterwards, as a restore does it."""
    connection = await asyncpg.connect(suite.database_url("catalog"))
    try:
        await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'products' AND indexdef LIKE '% USING gin %'"
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for start in range(0, PRODUCTS, 20_000):
            await connection.execute(_SEED, business_id, start, _THINGS, _KINDS, timeout=300)
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=600)
        await connection.execute("VACUUM ANALYZE products", timeout=600)
    finally:
        await connection.close()


async def _search(shop: Shop) -> list[float]:
    """Milliseconds of each search, in ascending order; no two ask for the same page."""
    chosen = random.Random(5)
    took = []
    url = f"{shop.gateway}/api/v1/products"
    async with aiohttp.ClientSession(headers=shop.headers) as session:
        for number in range(_SEARCHES):
            query = _QUERIES[number % len(_QUERIES)].format(chosen.randrange(20_000))
            page = str(1 + number // len(_QUERIES) % 40)
            began = time.perf_counter()
            parameters = {"businessId": shop.business_id, "q": query, "page": page}
            async with session.get(url, params=parameters) as answer:
                await answer.read()
                if answer.status == 429:
                    raise RuntimeError("The gateway limits the searches")
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0)
    return sorted(took)


GROUP = Group("catalog", 910, measure, slow=True)
