"""Consumes one queue. Acknowledges after commit, retries with a delay, sets poison aside, waits out what is down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from contracts.events import DomainEvent
from contracts.events.registry import EVENTS, queue
from kernel import Unavailable
from opentelemetry.trace import SpanKind

from chassis import tenancy
from chassis.bus.connection import BROKER_ERRORS, cancelled_from_outside, confirming_channel, connected
from chassis.bus.outbox import attributes
from chassis.bus.received import Received
from chassis.bus.topology import CANARY_TYPE, dead_letter_queue, retry_queue
from chassis.database.engine import Database
from chassis.http.errors import is_database_outage
from chassis.telemetry import metrics, tracing
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

Handler = Callable[[Any, Received[Any]], Awaitable[None]]

ATTEMPT_HEADER: Final = "x-cobro-attempt"
REASON_HEADER: Final = "x-cobro-reason"
_HANDLER_TIMEOUT = 60.0
_HOLD_MAX = 600.0  # far below the broker's 30 minutes without an acknowledgement
_HOLD_BACKOFF_MAX = 5.0
_MAX_BACKOFF = 5.0
_FORWARD_TIMEOUT = 10.0


class DeadLetter(Exception):
    """Raised by a handler that knows trying again is pointless; the message goes aside with this reason."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A queue of the event registry, and the use case for each of its events. Handlers get the service's context.

    at_once: messages in hand together, where a queue's handlers put their work together and the lane's few would leave
    them nothing to do so with.
    """

    queue: str
    handlers: Mapping[type[DomainEvent], Handler]
    at_once: int | None = None

    def __post_init__(self) -> None:
        promised, handled = set(queue(self.queue).events), set(self.handlers)
        if promised != handled:
            raise ValueError(f"{self.queue}: registry and handlers differ: {promised ^ handled}")


class ConsumerRunner:
    """Runs one Consumer. Any loss of the broker throws the connection away and starts again; in-flight messages are
    delivered again and recognised by the inbox."""

    def __init__(
        self, consumer: Consumer, *, url: str, context: object, database: Database | None, ladder_rungs: int
    ) -> None:
        self._consumer = consumer
        self._url = url
        self._context = context
        self._database = database
        self._rungs = ladder_rungs
        self._lane = queue(consumer.queue).lane
        self._stopping = asyncio.Event()
        self._in_hand: set[asyncio.Task[None]] = set()
        self.consuming = False

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        backoff = 0.1
        while not self._stopping.is_set():
            try:
                async with connected(self._url, self._consumer.queue) as connection:
                    channel = await confirming_channel(connection)
                    await channel.set_qos(prefetch_count=self._consumer.at_once or self._lane.value)
                    backoff = 0.1
                    await self._consume(channel)
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
            except BROKER_ERRORS as error:
                log.warning("consumer.broker_unavailable", queue=self._consumer.queue, error=type(error).__name__)
            finally:
                self.consuming = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff):
                    await self._stopping.wait()
            backoff = min(backoff * 2, _MAX_BACKOFF)

    async def _consume(self, channel: AbstractChannel) -> None:
        source = await channel.get_queue(self._consumer.queue)
        closed = asyncio.Event()
        channel.close_callbacks.add(lambda *_: closed.set())

        async def on_message(message: AbstractIncomingMessage) -> None:
            task = asyncio.create_task(self._handle(message, channel))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)

        tag = await source.consume(on_message)
        self.consuming = True
        stopping = asyncio.create_task(self._stopping.wait())
        lost = asyncio.create_task(closed.wait())
        try:
            await asyncio.wait({stopping, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            lost.cancel()
        if not closed.is_set():
            await source.cancel(tag)
        if self._in_hand:
            # What was begun is finished and acknowledged; what cannot be is delivered again.
            await asyncio.wait(set(self._in_hand), timeout=_HANDLER_TIMEOUT)

    async def _handle(self, message: AbstractIncomingMessage, channel: AbstractChannel) -> None:
        started = time.perf_counter()
        try:
            outcome = await self._process(message, channel)
        except BROKER_ERRORS as error:
            # The acknowledgement or the forwarding failed: the broker delivers the message again.
            outcome = "redelivered"
            log.warning("consumer.not_acknowledged", queue=self._consumer.queue, error=type(error).__name__)
        metrics.messages.labels(self._consumer.queue, outcome).inc()
        metrics.message_seconds.labels(self._consumer.queue).observe(time.perf_counter() - started)

    async def _process(self, message: AbstractIncomingMessage, channel: AbstractChannel) -> str:
        if message.type == CANARY_TYPE:
            await message.ack()
            return "canary"
        try:
            received, handler = self._parse(message)
        except (KeyError, ValueError, TypeError) as error:
            await self._forward(channel, message, dead_letter_queue(self._consumer.queue), reason=repr(error)[:300])
            return "dead_lettered"
        if received is None or handler is None:
            await message.ack()
            return "ignored"
        lag = (datetime.now(UTC) - received.occurred_at).total_seconds()
        metrics.message_lag.labels(self._consumer.queue).observe(max(lag, 0))
        with tracing.span(f"{self._consumer.queue} process", kind=SpanKind.CONSUMER, carrier=_text(message.headers)):
            return await self._run(handler, received, message, channel)

    def _parse(self, message: AbstractIncomingMessage) -> tuple[Received[DomainEvent] | None, Handler | None]:
        event_id, kind, occurred_at = attributes(message.headers)
        model = EVENTS.get(kind)
        handler = self._consumer.handlers.get(model) if model else None
        if model is None or handler is None:
            return None, None
        attempt = message.headers.get(ATTEMPT_HEADER, 0)
        received = Received(
            id=event_id,
            queue=self._consumer.queue,
            event=model.model_validate(orjson.loads(message.body)),
            occurred_at=occurred_at,
            attempt=attempt if isinstance(attempt, int) else 0,
        )
        return received, handler

    async def _run(
        self,
        handler: Handler,
        received: Received[DomainEvent],
        message: AbstractIncomingMessage,
        channel: AbstractChannel,
    ) -> str:
        held_since = time.monotonic()
        backoff = 0.25
        while True:
            try:
                async with asyncio.timeout(_HANDLER_TIMEOUT):
                    with tenancy.scope(received.scope):
                        await handler(self._context, received)
                    await self._record(received)
                await message.ack()
                return "handled"
            except DeadLetter as error:
                await self._forward(channel, message, dead_letter_queue(self._consumer.queue), reason=str(error)[:300])
                return "dead_lettered"
            except Exception as error:  # noqa: BLE001 - the edge of the loop: every failure has a place to go
                if not _dependency_down(error):
                    return await self._retry_later(received, message, channel, error)
                log.warning("consumer.dependency_down", queue=self._consumer.queue, error=type(error).__name__)
            # Held in hand: with all of the prefetch held, consumption stops by itself and no retry is used up.
            if self._stopping.is_set() or time.monotonic() - held_since > _HOLD_MAX:
                await message.reject(requeue=True)
                return "requeued"
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _HOLD_BACKOFF_MAX)

    async def _record(self, received: Received[DomainEvent]) -> None:
        """A handler without a transaction of its own is recorded here, for the delivery audit."""
        if received.accepted or self._database is None:
            return
        async with self._database.transaction() as unit:
            await unit.accept(received)

    async def _retry_later(
        self,
        received: Received[DomainEvent],
        message: AbstractIncomingMessage,
        channel: AbstractChannel,
        error: Exception,
    ) -> str:
        rung = received.attempt
        exhausted = rung >= self._rungs
        log.error(
            "consumer.handler_failed",
            queue=self._consumer.queue,
            event_id=str(received.id),
            type=received.event.type,
            attempt=rung,
            dead_lettered=exhausted,
            exc_info=error,
        )
        reason = f"{type(error).__name__}: {error}"[:300]
        if exhausted:
            await self._forward(channel, message, dead_letter_queue(self._consumer.queue), reason=reason)
            return "dead_lettered"
        await self._forward(
            channel, message, self._consumer.queue, reason=reason, attempt=rung + 1, exchange=retry_queue(rung)
        )
        return "retried"

    async def _forward(
        self,
        channel: AbstractChannel,
        message: AbstractIncomingMessage,
        routing_key: str,
        *,
        reason: str,
        attempt: int | None = None,
        exchange: str | None = None,
    ) -> None:
        """Copy first, with a confirm, then acknowledge: at worst the message exists twice."""
        headers = {name: value for name, value in message.headers.items() if not name.startswith("x-death")}
        headers = {name: value for name, value in headers.items() if not name.startswith("x-first-death")}
        headers[REASON_HEADER] = reason
        if attempt is not None:
            headers[ATTEMPT_HEADER] = attempt
        copy = aio_pika.Message(
            message.body,
            headers=headers,
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message.message_id,
            type=message.type,
        )
        async with asyncio.timeout(_FORWARD_TIMEOUT):
            target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            await target.publish(copy, routing_key=routing_key, mandatory=True)
        await message.ack()


def _dependency_down(error: Exception) -> bool:
    return isinstance(error, Unavailable) or is_database_outage(error)


def _text(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if isinstance(value, str)}
