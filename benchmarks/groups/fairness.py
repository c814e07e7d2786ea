"""What a merchant whose endpoints are slow and dead, with thousands of deliveries waiting, does to another merchant's
deliveries: how long after the event they arrive, alone and beside that one."""

from __future__ import annotations

import asyncio
import math
import statistics
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import asyncpg
from aiohttp import web
from stack.ports import PortPicker

from benchmarks.bench import Bench, Group
from benchmarks.shop import Shop, open_shop, post
from benchmarks.table import Row

_WAITING = 10_000
_PER_SECOND = 20
# Below what the couriers call slow: the endpoint stays among the healthy ones, where it can do the most harm.
_SLOW_SECONDS = 4.0
_PATIENCE = 60.0

# What the consumer of events writes, all of it due.
_BACKLOG = """
INSERT INTO webhook_deliveries (id, endpoint_id, business_id, event_id, event_type, subject_id, sequence, payload,
                                status, next_attempt_at, occurred_at, created_at)
SELECT gen_random_uuid(), $1, $2, gen_random_uuid(), 'payment.created', gen_random_uuid(), 1, '{}', 'PENDING',
       now() - make_interval(secs => n), now(), now()
FROM generate_series(1, $3::int) AS n
"""
_DELAYS = """
SELECT extract(epoch FROM delivered_at - occurred_at) * 1000 AS ms FROM webhook_deliveries
WHERE endpoint_id = $1 AND subject_id = ANY($2::uuid[]) AND delivered_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Delays:
    """Milliseconds from the event to the merchant's 200; endless where nothing arrived."""

    milliseconds: Sequence[float]
    missing: int

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds or [math.inf])

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[98] if len(self.milliseconds) > 1 else math.inf

    def shown(self) -> str:
        lost = f", {self.missing} not delivered" if self.missing else ""
        return f"p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms{lost}"


async def measure(bench: Bench) -> None:
    count = max(100, _PER_SECOND * bench.seconds)
    noisy = await open_shop(bench.gateway)
    async with _merchants() as receiver, _connected(bench) as webhooks:
        quiet = await _endpoint(bench.shop, f"{receiver}/quiet")
        before = await _delays(bench.shop, webhooks, quiet, count)
        slow = await _endpoint(noisy, f"{receiver}/slow")
        dead = await _endpoint(noisy, f"http://127.0.0.1:{PortPicker().pick()}/dead")
        for endpoint in (slow, dead):
            await webhooks.execute(_BACKLOG, endpoint, uuid.UUID(noisy.business_id), _WAITING)
        await asyncio.sleep(3)
        beside = await _delays(bench.shop, webhooks, quiet, count)
        for endpoint in (slow, dead):
            await _delete(noisy, endpoint)
        after = await _delays(bench.shop, webhooks, quiet, count)
        await _delete(bench.shop, quiet)
    # Alone before and after, so that what else the machine does meets both.
    alone = _Delays([*before.milliseconds, *after.milliseconds], before.missing + after.missing)
    bench.table.add(
        Row(
            f"event to merchant's endpoint, beside one with {2 * _WAITING:,} waiting (p99)",
            beside.shown(),
            f"alone: {alone.shown()}",
            beside.p99 / alone.p99,
            floor=3,
            aim=1.5,
            higher_is_better=False,
        )
    )


async def _delays(shop: Shop, webhooks: asyncpg.Connection, endpoint: uuid.UUID, count: int) -> _Delays:
    """Of so many payments created at a steady pace."""
    async with aiohttp.ClientSession(headers=shop.headers) as session:
        creating = []
        for _ in range(count):
            creating.append(asyncio.create_task(_pay(shop, session)))
            await asyncio.sleep(1 / _PER_SECOND)
        payments = await asyncio.gather(*creating)
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        rows = await webhooks.fetch(_DELAYS, endpoint, payments)
        if len(rows) == count or asyncio.get_running_loop().time() > deadline:
            return _Delays([float(row["ms"]) for row in rows], count - len(rows))
        await asyncio.sleep(0.2)


async def _pay(shop: Shop, session: aiohttp.ClientSession) -> uuid.UUID:
    body = {"businessId": shop.business_id, "amount": "10.00", "method": "PAYMENT_LINK"}
    async with session.post(f"{shop.gateway}/api/v1/payments/intent", json=body) as answer:
        content = await answer.json()
        assert answer.status == 201, content
        return uuid.UUID(content["data"]["id"])


async def _endpoint(shop: Shop, url: str) -> uuid.UUID:
    body = {"businessId": shop.business_id, "url": url, "events": ["payment.created"]}
    return uuid.UUID((await post(shop.gateway, "/webhook-endpoints", body, shop.token))["id"])


async def _delete(shop: Shop, endpoint: uuid.UUID) -> None:
    async with (
        aiohttp.ClientSession(headers=shop.headers) as session,
        session.delete(f"{shop.gateway}/api/v1/webhook-endpoints/{endpoint}") as answer,
    ):
        assert answer.status < 300, await answer.text()


@asynccontextmanager
async def _merchants() -> AsyncIterator[str]:
    """The merchants' servers: /quiet answers at once, /slow takes its time."""
    over = asyncio.Event()

    async def at_once(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async def slowly(request: web.Request) -> web.Response:
        await asyncio.wait({asyncio.ensure_future(over.wait())}, timeout=_SLOW_SECONDS)
        return web.Response()

    application = web.Application()
    application.router.add_post("/quiet", at_once)
    application.router.add_post("/slow", slowly)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = PortPicker().pick()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        over.set()
        await runner.cleanup()


@asynccontextmanager
async def _connected(bench: Bench) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(bench.suite.database_url("webhooks"))
    try:
        yield connection
    finally:
        await connection.close()


GROUP = Group("fairness", 70, measure)
