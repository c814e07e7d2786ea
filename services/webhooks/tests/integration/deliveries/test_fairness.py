"""One slow endpoint, or one busy business, holds up nobody else."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from chassis.runtime.jobs import run_forever
from prometheus_client import REGISTRY
from sqlalchemy import text
from webhooks.deliveries import claiming
from webhooks.deliveries.claiming import REGULAR, TROUBLED, Lane
from webhooks.deliveries.courier import LEASE

pytestmark = pytest.mark.integration

# One statement for a backlog: what the consumer writes, five hundred times.
_BACKLOG = text(
    "INSERT INTO webhook_deliveries (id, endpoint_id, business_id, event_id, event_type, subject_id, sequence, payload,"
    " status, next_attempt_at, occurred_at, created_at)"
    " SELECT gen_random_uuid(), :endpoint, :business, gen_random_uuid(), 'payment.confirmed', gen_random_uuid(), 1,"
    " '{}', 'PENDING', CAST(:now AS timestamptz) - make_interval(secs => n),"
    " :now, :now FROM generate_series(1, :count) AS n"
)


async def backlog(shop: Any, endpoint: dict[str, Any], count: int) -> None:
    async with shop.service.kit.database.transaction() as unit:
        await unit.session.execute(
            _BACKLOG,
            {
                "endpoint": endpoint["id"],
                "business": shop.business_id,
                "count": count,
                "now": shop.service.clock.now(),
            },
        )


@asynccontextmanager
async def couriers_at_work(shop: Any) -> AsyncIterator[None]:
    """As in a worker process."""
    stopping = asyncio.Event()
    jobs = [job for job in shop.service.service.jobs if job.name.startswith("deliver-")]
    running = [asyncio.create_task(run_forever(job, None, "webhooks", stopping)) for job in jobs]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*running)


async def seconds_until(enough: Callable[[], object], *, within: float = 10) -> float:
    """How long it took; by then it has come to pass."""
    began = time.perf_counter()
    async with asyncio.timeout(within):
        await _until(enough)
    return time.perf_counter() - began


async def _until(enough: Callable[[], object]) -> None:
    while not enough():  # noqa: ASYNC110 - what arrives at the server raises no flag
        await asyncio.sleep(0.01)


async def test_a_dead_endpoint_with_a_backlog_delays_no_other_business(open_shop: Callable[[], Any]) -> None:
    noisy, quiet = open_shop(), open_shop()
    dead = [await noisy.endpoint() for _ in range(4)]
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response(status=500)

    for endpoint in dead:
        noisy.receiver.answers[endpoint["path"]] = hang
        await backlog(noisy, endpoint, 500)
    endpoint = await quiet.endpoint()
    try:
        async with couriers_at_work(noisy):
            await seconds_until(lambda: noisy.receiver.at(dead[0]["path"]))
            await quiet.happens()
            first = await seconds_until(lambda: quiet.receiver.at(endpoint["path"]))
            in_hand = Counter(request.path for request in noisy.receiver.requests)
            assert max(in_hand.values()) <= REGULAR.per_endpoint
            assert sum(in_hand.values()) - 1 <= REGULAR.per_business
            release.set()
            await seconds_until(lambda: len(noisy.receiver.requests) >= 40)
            quiet.receiver.requests.clear()
            await quiet.happens()
            second = await seconds_until(lambda: quiet.receiver.at(endpoint["path"]))
            await noisy.closes()
    finally:
        release.set()
    # The bounds in which a loaded machine is still no excuse; a turn behind the backlog would take minutes.
    assert first < 1.5
    assert second < 1.5


async def test_a_long_queue_to_one_healthy_endpoint_flows(shop: Any) -> None:
    endpoint = await shop.endpoint()
    await backlog(shop, endpoint, 60)

    async with couriers_at_work(shop):
        await seconds_until(lambda: len(shop.receiver.at(endpoint["path"])) >= 60)

    assert {one["status"] for one in await shop.deliveries(endpoint)} == {"DELIVERED"}


async def claim(shop: Any, lane: Lane, limit: int) -> list[claiming.Claimed]:
    now = shop.service.clock.now()
    async with shop.service.kit.database.transaction() as unit:
        return list(await claiming.claim(unit.session, lane, worker=uuid4(), now=now, until=now + LEASE, limit=limit))


async def test_shares(open_shop: Callable[[], Any]) -> None:
    noisy, quiet = open_shop(), open_shop()
    many = [await noisy.endpoint() for _ in range(5)]
    one = await quiet.endpoint()
    for endpoint in (*many, one):
        await backlog(noisy if endpoint in many else quiet, endpoint, 50)

    taken = await claim(noisy, REGULAR, 10)
    assert Counter(claimed.business_id for claimed in taken) == {noisy.business_id: 5, quiet.business_id: 5}
    assert Counter(str(claimed.endpoint_id) for claimed in taken) == {
        **{endpoint["id"]: 1 for endpoint in many},
        one["id"]: 5,
    }
    taken += await claim(noisy, REGULAR, 1000)
    by_endpoint = Counter(str(claimed.endpoint_id) for claimed in taken)
    assert Counter(claimed.business_id for claimed in taken) == {
        noisy.business_id: REGULAR.per_business,
        quiet.business_id: REGULAR.per_endpoint,
    }
    assert max(by_endpoint.values()) <= REGULAR.per_endpoint
    assert min(by_endpoint.values()) >= REGULAR.per_business // len(many)
    assert await claim(noisy, REGULAR, 1000) == []
    assert len({claimed.id for claimed in taken}) == len(taken)


async def test_two_processes_claim_within_the_same_bounds(shop: Any) -> None:
    endpoint = await shop.endpoint()
    await backlog(shop, endpoint, 50)

    taken = await asyncio.gather(*(claim(shop, REGULAR, 100) for _ in range(6)))

    assert sum(map(len, taken)) == REGULAR.per_endpoint


async def test_one_failure_and_it_waits_among_its_like_until_it_answers(shop: Any) -> None:
    endpoint = await shop.endpoint()
    regular, troubled = shop.service.context.couriers
    shop.receiver.says(endpoint["path"], 500)
    await shop.happens()
    assert await regular.deliver_due() == 1
    for _ in range(3):
        await shop.happens()

    assert await regular.deliver_due() == 0
    assert await troubled.deliver_due() == TROUBLED.per_endpoint
    del shop.receiver.answers[endpoint["path"]]
    assert await troubled.deliver_due() == 1
    assert await regular.deliver_due() == 1


async def test_what_waits_is_measured(shop: Any) -> None:
    endpoint = await shop.endpoint()
    await shop.happens()
    measure = next(job for job in shop.service.service.jobs if job.name == "deliveries-measure")

    def oldest(lane: str) -> float | None:
        return REGISTRY.get_sample_value("cobro_webhook_deliveries_oldest_due_seconds", {"lane": lane})

    shop.service.clock.advance(timedelta(seconds=90))
    await measure.run()
    assert oldest("regular") == 90
    await shop.couriers_run()
    await measure.run()
    assert oldest("regular") == oldest("troubled") == 0
    assert len(shop.receiver.at(endpoint["path"])) == 1
