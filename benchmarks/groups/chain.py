"""From a provider's webhook to a confirmed payment and a completed sale: the time of the whole chain, at a pace it can
keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import asyncpg

from benchmarks.bench import Bench, Group
from benchmarks.notifications import Notifications
from benchmarks.percentiles import Delay
from benchmarks.shop import Shop
from benchmarks.table import Row


async def measure(bench: Bench) -> None:
    databases = {name: bench.suite.database_url(name) for name in ("sales", "payments", "webhooks")}
    chain = await _Run(bench.shop, bench.psp, bench.notifications(), databases).run(20 * bench.seconds)
    at = f"{chain.pace:.0f} sales/s, {chain.unfinished} left"
    reference = f"burst of the same: {chain.capacity:.0f} sales/s"
    for name, delay, aim in (
        ("payment confirmed", chain.confirmed, None),
        ("sale completed", chain.completed, 250),
    ):
        what = f"webhook accepted to {name}, p99 at half load"
        measured = f"p50 {delay.p50:.0f} ms, p99 {delay.p99:.0f} ms at {at}"
        bench.table.add(Row(what, measured, reference, delay.p99, "ms", 1000, aim, False))


@dataclass(frozen=True, slots=True)
class Chain:
    """From the stored webhook on; and sales per second."""

    confirmed: Delay
    completed: Delay
    pace: float
    capacity: float
    unfinished: int


class _Run:
    def __init__(self, shop: Shop, psp: str, notifications: Notifications, databases: dict[str, str]) -> None:
        self._shop = shop
        self._psp = psp
        self._notifications = notifications
        self._databases = databases

    async def run(self, sales: int) -> Chain:
        """A burst to see how many sales a second the chain completes, then as many again at half that pace."""
        async with aiohttp.ClientSession() as session:
            burst = [await self._sell(session) for _ in range(sales)]
            await self._mark_paid(session, burst)
            started = time.monotonic()
            await asyncio.gather(*(self._notify(session, sale) for sale in burst))
            await self._completed(burst)
            capacity = sales / (time.monotonic() - started)

            paced = [await self._sell(session) for _ in range(sales)]
            await self._mark_paid(session, paced)
            pace = capacity / 2
            posts = []
            for sale in paced:
                posts.append(asyncio.create_task(self._notify(session, sale)))
                await asyncio.sleep(1 / pace)
            await asyncio.gather(*posts)
            unfinished = await self._completed(paced)
        stored = await self._stored(paced)
        confirmed = await self._since(
            stored,
            "payments",
            "SELECT id::text AS reference, confirmed_at AS at FROM payments"
            " WHERE id = ANY($1::uuid[]) AND confirmed_at IS NOT NULL",
        )
        completed = await self._since(
            stored,
            "sales",
            "SELECT transaction_id::text AS reference, completed_at AS at FROM sales"
            " WHERE transaction_id = ANY($1::uuid[]) AND completed_at IS NOT NULL",
        )
        return Chain(confirmed, completed, pace=pace, capacity=capacity, unfinished=unfinished)

    async def _sell(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        body = {
            "businessId": self._shop.business_id,
            "items": [{"productId": self._shop.product_id, "quantity": 2}],
            "payment": {"method": "QR_DYNAMIC"},
        }
        async with session.post(f"{self._shop.gateway}/api/v1/sales", json=body, headers=self._shop.headers) as answer:
            content = await answer.json()
            assert answer.status == 201, content
        sale: dict[str, Any] = content["data"]
        async with session.get(
            f"{self._shop.gateway}/api/v1/payments/{sale['transactionId']}", headers=self._shop.headers
        ) as answer:
            sale["providerRef"] = (await answer.json())["data"]["providerRef"]
        return sale

    async def _mark_paid(self, session: aiohttp.ClientSession, sales: list[dict[str, Any]]) -> None:
        async with session.post(f"{self._psp}/_paid", json=[sale["providerRef"] for sale in sales]) as answer:
            assert answer.status == 200

    async def _notify(self, session: aiohttp.ClientSession, sale: dict[str, Any]) -> None:
        body, signature = self._notifications.paid(sale["providerRef"], sale["transactionId"])
        headers = {"DIGEST": signature, "Content-Type": "application/json"}
        async with session.post(f"{self._shop.gateway}/webhooks/conekta", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def _completed(self, sales: list[dict[str, Any]], *, patience: float = 60) -> int:
        """Wait until all are; returns how many are not."""
        connection = await asyncpg.connect(self._databases["sales"])
        try:
            ids = [sale["id"] for sale in sales]
            deadline = time.monotonic() + patience
            query = "SELECT count(*) FROM sales WHERE id = ANY($1::uuid[]) AND status <> 'COMPLETED'"
            while True:
                left = int(await connection.fetchval(query, ids))
                if not left or time.monotonic() > deadline:
                    return left
                await asyncio.sleep(0.05)
        finally:
            await connection.close()

    async def _stored(self, sales: list[dict[str, Any]]) -> dict[str, datetime]:
        """When each payment's webhook was stored, by the payment's id."""
        query = "SELECT our_reference, created_at FROM webhook_events WHERE our_reference = ANY($1)"
        rows = await self._rows("webhooks", query, [sale["transactionId"] for sale in sales])
        return {row["our_reference"]: row["created_at"] for row in rows}

    async def _since(self, stored: Mapping[str, datetime], service: str, query: str) -> Delay:
        rows = await self._rows(service, query, list(stored))
        return Delay.of([(row["at"] - stored[row["reference"]]).total_seconds() * 1000 for row in rows])

    async def _rows(self, service: str, query: str, references: list[str]) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._databases[service])
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, references)
            return rows
        finally:
            await connection.close()


GROUP = Group("chain", 60, measure)
