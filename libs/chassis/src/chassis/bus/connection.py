"""Connections to RabbitMQ. Plain ones: when anything is odd the connection is thrown away and the loop starts again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError

CONNECT_TIMEOUT = 5.0
CLOSE_TIMEOUT = 2.0
# What a broken broker looks like from here. aio-pika raises ChannelInvalidStateError as RuntimeError.
BROKER_ERRORS: Final = (AMQPError, OSError, TimeoutError, RuntimeError)


class BrokerLost(Exception):
    """The connection broke or hung in the middle of something whose outcome is therefore unknown."""


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[AbstractConnection]:
    """One connection for the length of the block. Closing is bounded too, for a stuck broker hangs there as well."""
    async with asyncio.timeout(CONNECT_TIMEOUT):
        connection = await aio_pika.connect(url, timeout=CONNECT_TIMEOUT, client_properties={"connection_name": name})
    try:
        yield connection
    finally:
        await close_quietly(connection)


async def close_quietly(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await connection.close()
    except BROKER_ERRORS:
        return


async def confirming_channel(connection: AbstractConnection) -> AbstractChannel:
    """A channel whose publishes wait for the broker's confirm, and raise when no queue takes the message."""
    async with asyncio.timeout(CONNECT_TIMEOUT):
        return await connection.channel(publisher_confirms=True, on_return_raises=True)


def cancelled_from_outside() -> bool:
    """Whether the current task was asked to stop. aio-pika lets a CancelledError of its own escape when a connection
    dies under a publish, and that one must be treated as a broken connection."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
