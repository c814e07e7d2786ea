"""From a webhook to a completed sale: the time of the whole chain, at a pace it can keep."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from benchmarks.notifications import Notifications
from benchmarks.shop import Shop


@dataclass(frozen=True, slots=True)
class Chain:
    """Milliseconds from the stored webhook to the completed sale, and sales per second."""

    p50: float
    p99: float
    pace: float
    capacity: float
    unfinished: int


class ChainBench:
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
        delays = await self._delays(paced)
        cuts = statistics.quantiles(delays, n=100)
        return Chain(p50=cuts[49], p99=cuts[98], pace=pace, capacity=capacity, unfinished=unfinished)

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

    async def _delays(self, sales: list[dict[str, Any]]) -> list[float]:
        webhooks = await asyncpg.connect(self._databases["webhooks"])
        done = await asyncpg.connect(self._databases["sales"])
        try:
            references = [sale["transactionId"] for sale in sales]
            rows = await webhooks.fetch(
                "SELECT our_reference, created_at FROM webhook_events WHERE our_reference = ANY($1)", references
            )
            stored = {row["our_reference"]: row["created_at"] for row in rows}
            completed = await done.fetch(
                "SELECT transaction_id::text AS reference, completed_at FROM sales"
                " WHERE transaction_id = ANY($1::uuid[]) AND completed_at IS NOT NULL",
                references,
            )
            return [(row["completed_at"] - stored[row["reference"]]).total_seconds() * 1000 for row in completed]
        finally:
            await webhooks.close()
            await done.close()
