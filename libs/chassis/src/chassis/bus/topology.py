"""The broker's exchanges and queues, derived from the event registry and declared in a deploy step.

cobro.events (topic) ──▶ <service>.<concern>           quorum queue of a consumer, dead-letters to <queue>.dlq
cobro.retry.<n> (fanout) ──▶ cobro.retry.<n>           quorum queue with a TTL; what expires returns to the queue
                                                       named by its routing key, through the default exchange
<queue>.dlq                                            what was given up, until someone redrives it

A quorum queue declared less than a second before the broker dies can lose what it confirmed (RabbitMQ 3.10), so
the step waits after declaring, and then proves every queue with a confirmed canary before traffic is let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, ExchangeType
from aiormq.exceptions import ChannelNotFoundEntity
from contracts.events.registry import QUEUES, Queue
from pamqp.common import FieldTable

from chassis.bus.connection import confirming_channel, connected

EXCHANGE: Final = "cobro.events"
CANARY_TYPE: Final = "cobro.canary"
_QUORUM: Final[FieldTable] = {"x-queue-type": "quorum"}
_SETTLE_SECONDS = 2.0
_CANARY_TIMEOUT = 10.0


def retry_queue(rung: int) -> str:
    return f"cobro.retry.{rung}"


def dead_letter_queue(queue: str) -> str:
    return f"{queue}.dlq"


async def declare(url: str, ladder: Sequence[float], *, settle: float = _SETTLE_SECONDS) -> list[str]:
    """Declare everything, settle, prove. Returns the names of the queues, all of which then took a canary."""
    async with connected(url, "topology") as connection:
        new = not await _all_exist(connection, len(ladder))
        channel = await confirming_channel(connection)
        events = await channel.declare_exchange(EXCHANGE, ExchangeType.TOPIC, durable=True)
        for rung, seconds in enumerate(ladder):
            await _declare_rung(channel, rung, seconds)
        for queue in QUEUES:
            await _declare_queue(channel, events, queue)
        if new:
            await asyncio.sleep(settle)
        async with asyncio.timeout(_CANARY_TIMEOUT):
            for queue in QUEUES:
                await _prove(channel, queue.name)
    return [queue.name for queue in QUEUES]


async def _declare_rung(channel: AbstractChannel, rung: int, seconds: float) -> None:
    name = retry_queue(rung)
    exchange = await channel.declare_exchange(name, ExchangeType.FANOUT, durable=True)
    arguments: FieldTable = {
        **_QUORUM,
        "x-message-ttl": int(seconds * 1000),
        "x-dead-letter-exchange": "",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    queue = await channel.declare_queue(name, durable=True, arguments=arguments)
    await queue.bind(exchange)


async def _declare_queue(channel: AbstractChannel, events: aio_pika.abc.AbstractExchange, queue: Queue) -> None:
    dead = await channel.declare_queue(dead_letter_queue(queue.name), durable=True, arguments=dict(_QUORUM))
    arguments: FieldTable = {
        **_QUORUM,
        # Only for what the broker itself gives up (RabbitMQ 4 limits deliveries by default); ours are sent there.
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead.name,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    declared = await channel.declare_queue(queue.name, durable=True, arguments=arguments)
    for event in queue.events:
        await declared.bind(events, routing_key=event.type)


async def _all_exist(connection: AbstractConnection, rungs: int) -> bool:
    names = [retry_queue(rung) for rung in range(rungs)]
    names += [name for queue in QUEUES for name in (queue.name, dead_letter_queue(queue.name))]
    channel = await confirming_channel(connection)
    try:
        for name in names:
            await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return False
    return True


async def _prove(channel: AbstractChannel, queue: str) -> None:
    for target, expiration in ((queue, None), (dead_letter_queue(queue), 0.001)):
        canary = aio_pika.Message(
            b"{}", type=CANARY_TYPE, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, expiration=expiration
        )
        await channel.default_exchange.publish(canary, routing_key=target, mandatory=True)
