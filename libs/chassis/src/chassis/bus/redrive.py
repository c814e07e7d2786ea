"""Looking after dead letters by hand: how many there are, and sending them round again."""

from __future__ import annotations

import asyncio

import aio_pika
from contracts.events.registry import QUEUES

from chassis.bus.connection import confirming_channel, connected
from chassis.bus.consumer import ATTEMPT_HEADER, REASON_HEADER
from chassis.bus.topology import dead_letter_queue

_STEP_TIMEOUT = 10.0


async def depths(url: str) -> dict[str, tuple[int, int]]:
    """Messages waiting and messages dead, per queue of the registry."""
    result = {}
    async with connected(url, "depths") as connection:
        channel = await confirming_channel(connection)
        for queue in QUEUES:
            waiting = await channel.declare_queue(queue.name, passive=True)
            dead = await channel.declare_queue(dead_letter_queue(queue.name), passive=True)
            result[queue.name] = (
                waiting.declaration_result.message_count or 0,
                dead.declaration_result.message_count or 0,
            )
    return result


async def redrive(url: str, queue: str, *, limit: int | None = None) -> int:
    """Put up to `limit` dead letters of a queue back into it with their retries given back; returns how many."""
    moved = 0
    async with connected(url, f"redrive {queue}") as connection:
        channel = await confirming_channel(connection)
        await channel.set_qos(prefetch_count=1)
        source = await channel.declare_queue(dead_letter_queue(queue), passive=True)
        available = source.declaration_result.message_count or 0
        for _ in range(min(available, limit) if limit is not None else available):
            async with asyncio.timeout(_STEP_TIMEOUT):
                message = await source.get(fail=False)
                if message is None:
                    break
                headers = {
                    name: value
                    for name, value in message.headers.items()
                    if name not in {ATTEMPT_HEADER, REASON_HEADER} and "death" not in name
                }
                copy = aio_pika.Message(
                    message.body,
                    headers=headers,
                    content_type=message.content_type,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    message_id=message.message_id,
                    type=message.type,
                )
                await channel.default_exchange.publish(copy, routing_key=queue, mandatory=True)
                await message.ack()
                moved += 1
    return moved
