"""Outbox, relay, consumer, retries and dead letters against a real broker and a real database."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aio_pika
import pytest
from chassis import tenancy
from chassis.bus.consumer import Consumer, ConsumerRunner, DeadLetter
from chassis.bus.received import Received
from chassis.bus.redrive import depths, redrive
from chassis.bus.relay import Relay
from chassis.bus.topology import EXCHANGE, dead_letter_queue, declare
from chassis.database import Database
from contracts.events.catalog import StockLow
from contracts.events.registry import queue, queues_of
from kernel import Unavailable, new_id
from sqlalchemy import text

# These tests look at the tables as the relay does.
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("as_everyone")]

QUEUE = "notifications.normal"
LADDER = (0.05, 0.1)


@pytest.fixture(scope="module")
async def url() -> str:
    url = os.environ["TEST_RABBITMQ_URL"]
    await declare(url, LADDER, settle=0)
    return url


def make_event(**changes: Any) -> StockLow:
    product = new_id()
    fields: dict[str, Any] = {
        "aggregate_id": new_id(),
        "aggregate_version": 1,
        "business_id": new_id(),
        "product_id": product,
        "branch_id": new_id(),
        "on_hand": 2,
        "reserved": 0,
        "product_name": "Café de olla",
        "min_stock": 5,
    }
    return StockLow(**{**fields, **changes})


async def publish(database: Database, *events: StockLow) -> None:
    async with database.transaction() as unit:
        unit.publish(*events)


async def eventually(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def relaying(database: Database, url: str) -> AsyncIterator[Relay]:
    relay = Relay(database, url, "catalog")
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await asyncio.wait_for(task, 15)


@asynccontextmanager
async def consuming(
    database: Database, url: str, handler: Callable[[Any, Received[StockLow]], Awaitable[None]]
) -> AsyncIterator[ConsumerRunner]:
    consumer = Consumer(QUEUE, dict.fromkeys(queue(QUEUE).events, handler))
    runner = ConsumerRunner(consumer, url=url, context=database, database=database, ladder_rungs=len(LADDER))
    task = asyncio.create_task(runner.run())
    await eventually(lambda: runner.consuming)
    try:
        yield runner
    finally:
        runner.stop()
        await asyncio.wait_for(task, 15)


async def unsent(database: Database, event: StockLow) -> bool:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT count(*) FROM outbox WHERE aggregate_id = :id AND sent_at IS NULL"), {"id": event.aggregate_id}
        )
        return bool(found.scalar_one())


async def test_from_commit_to_effect(database: Database, url: str) -> None:
    event, seen = make_event(), []

    async def handler(_: Any, received: Received[StockLow]) -> None:
        seen.append(received)

    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(lambda: any(r.event == event for r in seen))

    [received] = [r for r in seen if r.event == event]
    assert received.queue == QUEUE
    assert not await unsent(database, event)


async def test_a_handler_has_the_scope_of_its_events_business(database: Database, url: str) -> None:
    event, scopes = make_event(), {}

    async def handler(_: Any, received: Received[StockLow]) -> None:
        scopes[received.event.aggregate_id] = tenancy.current()

    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(lambda: event.aggregate_id in scopes)

    assert event.business_id is not None
    assert scopes[event.aggregate_id] == tenancy.Tenancy(businesses=frozenset({event.business_id}))


async def test_a_rolled_back_transaction_publishes_nothing(database: Database) -> None:
    event = make_event()

    async def failing() -> None:
        async with database.transaction() as unit:
            unit.publish(event)
            raise LookupError

    with pytest.raises(LookupError):
        await failing()
    assert not await unsent(database, event)


async def test_a_second_delivery_has_no_second_effect(database: Database, url: str) -> None:
    event, effects, deliveries = make_event(), [], []

    async def handler(db: Database, received: Received[StockLow]) -> None:
        deliveries.append(received.id)
        async with db.transaction() as unit:
            if not await unit.accept(received):
                return
            effects.append(received.id)

    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(lambda: len(effects) == 1)
        async with database.transaction() as unit:
            await unit.session.execute(
                text("UPDATE outbox SET sent_at = NULL WHERE aggregate_id = :id"), {"id": event.aggregate_id}
            )
        await eventually(lambda: len(deliveries) == 2)

    assert deliveries[0] == deliveries[1]
    assert len(effects) == 1


async def test_a_crash_before_the_acknowledgement_delivers_again(database: Database, url: str) -> None:
    event, effects, attempts = make_event(), [], []

    async def crashing(db: Database, received: Received[StockLow]) -> None:
        attempts.append(received.id)
        async with db.transaction() as unit:
            if await unit.accept(received):
                effects.append(received.id)
        raise asyncio.CancelledError  # the process dies between commit and acknowledgement

    async def surviving(db: Database, received: Received[StockLow]) -> None:
        attempts.append(received.id)
        async with db.transaction() as unit:
            if await unit.accept(received):
                effects.append(received.id)

    async with relaying(database, url):
        async with consuming(database, url, crashing):
            await publish(database, event)
            await eventually(lambda: len(attempts) == 1)
        async with consuming(database, url, surviving):
            await eventually(lambda: len(attempts) == 2)

    assert len(effects) == 1


async def test_a_failing_handler_is_retried_with_a_delay_then_set_aside_then_redriven(
    database: Database, url: str
) -> None:
    event, attempts = make_event(), []
    healed = False

    async def handler(_: Any, received: Received[StockLow]) -> None:
        if received.event != event:
            return
        attempts.append(received.attempt)
        if not healed:
            raise ArithmeticError("a bug in this handler")

    async def dead() -> bool:
        return (await depths(url))[QUEUE][1] == before + 1

    before = (await depths(url))[QUEUE][1]
    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(dead)
        assert attempts == [0, 1, 2]
        healed = True
        assert await redrive(url, QUEUE) == before + 1
        await eventually(lambda: len(attempts) == 4)
        assert attempts[-1] == 0


async def test_what_no_retry_can_help_goes_aside_at_once(database: Database, url: str) -> None:
    event, attempts = make_event(), []

    async def handler(_: Any, received: Received[StockLow]) -> None:
        if received.event == event:
            attempts.append(received.attempt)
            raise DeadLetter("never")

    before = (await depths(url))[QUEUE][1]

    async def dead() -> bool:
        return (await depths(url))[QUEUE][1] == before + 1

    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(dead)
    assert attempts == [0]


async def test_poison_does_not_stop_what_follows(database: Database, url: str) -> None:
    event, seen = make_event(), []

    async def handler(_: Any, received: Received[StockLow]) -> None:
        seen.append(received.event)

    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    for body, headers in ((b"\xff", {}), (b"{}", {"cloudEvents:id": "x"})):
        poison = aio_pika.Message(body, headers=headers)
        await channel.default_exchange.publish(poison, routing_key=QUEUE)
    await connection.close()
    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(lambda: event in seen)


async def test_a_dependency_that_is_down_uses_no_retry(database: Database, url: str) -> None:
    event, attempts = make_event(), []

    async def handler(_: Any, received: Received[StockLow]) -> None:
        if received.event != event:
            return
        attempts.append(received.attempt)
        if len(attempts) < 4:
            raise Unavailable("sales is away")

    async with consuming(database, url, handler), relaying(database, url):
        await publish(database, event)
        await eventually(lambda: len(attempts) == 4)
    assert attempts == [0, 0, 0, 0]


async def test_an_unroutable_event_is_not_counted_as_sent(database: Database, url: str) -> None:
    event = make_event()
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    bound = [await channel.get_queue(item.name) for item in queues_of(StockLow)]
    for item in bound:
        await item.unbind(EXCHANGE, StockLow.type)
    try:
        async with relaying(database, url):
            await publish(database, event)

            async def failed() -> bool:
                async with database.read() as session:
                    row = await session.execute(
                        text("SELECT attempts FROM outbox WHERE aggregate_id = :id"), {"id": event.aggregate_id}
                    )
                    return bool(row.scalar_one() >= 1)

            await eventually(failed)
            assert await unsent(database, event)
    finally:
        for item in bound:
            await item.bind(EXCHANGE, StockLow.type)
        await connection.close()


async def test_two_relays_share_the_outbox_without_loss(database: Database, url: str) -> None:
    events = [make_event() for _ in range(500)]
    seen: dict[UUID, int] = {}

    async def handler(_: Any, received: Received[StockLow]) -> None:
        seen[received.event.aggregate_id] = seen.get(received.event.aggregate_id, 0) + 1

    wanted = {event.aggregate_id for event in events}
    async with consuming(database, url, handler), relaying(database, url), relaying(database, url):
        await publish(database, *events)
        await eventually(lambda: wanted <= seen.keys(), 40)


async def test_every_queue_has_its_dead_letter_queue(url: str) -> None:
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    for name in await declare(url, LADDER, settle=0):
        await channel.get_queue(dead_letter_queue(name), ensure=True)
    await connection.close()
