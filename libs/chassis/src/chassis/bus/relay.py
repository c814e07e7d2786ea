"""Drains the outbox into the broker. One runs in every process that writes; several on one table share the work."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import DeliveryError, PublishError
from contracts.events.registry import EVENTS, queues_of
from sqlalchemy import text

from chassis.bus.connection import BROKER_ERRORS, BrokerLost, cancelled_from_outside, confirming_channel, connected
from chassis.bus.outbox import message_of
from chassis.bus.topology import EXCHANGE
from chassis.database.driver import UNSYNCED
from chassis.database.engine import Database
from chassis.http.errors import is_database_outage
from chassis.telemetry import metrics
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone

log = get_logger(__name__)

BATCH = 200
_POLL_SECONDS = 1.0
# Between the beginnings of two batches: under load events leave by the dozen, and a lone one leaves at once.
_APART_SECONDS = 0.01
_PUBLISH_TIMEOUT = 10.0
_MAX_BACKOFF = 5.0
_PARK_AFTER = 20

_TAKE = text(
    "SELECT id, event_id, business_id, aggregate_id, type, body, headers, occurred_at, created_at, attempts, only_queue"
    " FROM outbox WHERE sent_at IS NULL AND parked_at IS NULL AND next_attempt_at <= now()"
    " ORDER BY next_attempt_at, id LIMIT :batch FOR UPDATE SKIP LOCKED"
)
# A mark that is lost sends its event again, which consumers absorb: no reason to wait for the disk.
_SENT = text(
    "UPDATE outbox SET sent_at = now()"  # noqa: S608 - constants
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:created AS timestamptz[])) AS sent(id, created_at)"
    f" WHERE outbox.id = sent.id AND outbox.created_at = sent.created_at AND {UNSYNCED}"
)
_FAILED = text(
    "UPDATE outbox SET attempts = attempts + 1, last_error = :error,"
    " next_attempt_at = now() + least(power(2, attempts), 300) * interval '1 second',"
    " parked_at = CASE WHEN attempts + 1 >= :park THEN now() END"
    " WHERE id = :id AND created_at = :created"
)
_AGE = text(
    "SELECT coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0) AS oldest,"
    " count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked FROM outbox WHERE sent_at IS NULL"
)


class Relay:
    """`run()` until `stop()`. A broker that is away only makes events late: rows wait, and nothing else notices."""

    def __init__(self, database: Database, url: str, service: str) -> None:
        self._database = database
        self._url = url
        self._service = service
        self._stopping = asyncio.Event()
        self.connected = False

    def stop(self) -> None:
        self._stopping.set()
        self._database.events_written.set()

    async def run(self) -> None:
        backoff = 0.1
        while not self._stopping.is_set():
            try:
                async with connected(self._url, f"{self._service} relay") as connection:
                    channel = await confirming_channel(connection)
                    events = await channel.get_exchange(EXCHANGE)
                    self.connected = True
                    backoff = 0.1
                    await self._drain(events, channel.default_exchange)
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
                log.warning("relay.connection_died")
            except (BrokerLost, *BROKER_ERRORS) as error:
                log.warning("relay.broker_unavailable", error=type(error).__name__, detail=str(error)[:200])
            finally:
                self.connected = False
            await self._pause(backoff)
            backoff = min(backoff * 2, _MAX_BACKOFF)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter
                await self._stopping.wait()

    async def _drain(self, events: AbstractExchange, direct: AbstractExchange) -> None:
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            self._database.events_written.clear()
            try:
                taken = await self.send_batch(events, direct)
            except Exception as error:
                if not is_database_outage(error):
                    raise
                log.warning("relay.database_unavailable", error=type(error).__name__)
                taken = 0
                await self._pause(_POLL_SECONDS)
            if taken < BATCH:
                if self._stopping.is_set():
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter
                        await self._database.events_written.wait()
                await asyncio.sleep(began + _APART_SECONDS - now())

    async def send_batch(self, events: AbstractExchange, direct: AbstractExchange) -> int:
        """Publish up to BATCH rows with their confirms in flight together; returns how many were taken."""
        with everyone():
            return await self._send_batch(events, direct)

    async def _send_batch(self, events: AbstractExchange, direct: AbstractExchange) -> int:
        async with self._database.engine.begin() as connection:
            rows = (await connection.execute(_TAKE, {"batch": BATCH})).all()
            if not rows:
                return 0
            outcomes = await self._publish_all(rows, events, direct)
            sent = [row for row, error in zip(rows, outcomes, strict=True) if error is None]
            if sent:
                await connection.execute(
                    _SENT, {"ids": [row.id for row in sent], "created": [row.created_at for row in sent]}
                )
                metrics.outbox_sent.labels(self._service).inc(len(sent))
            lost: BaseException | None = None
            for row, error in zip(rows, outcomes, strict=True):
                if isinstance(error, PublishError | DeliveryError | TypeError | ValueError):
                    metrics.outbox_failures.labels(self._service).inc()
                    log.error("relay.unpublishable", event_id=str(row.event_id), type=row.type, error=repr(error)[:300])
                    await connection.execute(
                        _FAILED,
                        {"id": row.id, "created": row.created_at, "error": repr(error)[:500], "park": _PARK_AFTER},
                    )
                elif error is not None:
                    lost = error
        if lost is not None:
            raise BrokerLost(repr(lost)[:200])
        return len(rows)

    async def _publish_all(
        self, rows: Sequence[Any], events: AbstractExchange, direct: AbstractExchange
    ) -> list[BaseException | None]:
        publishes = [asyncio.create_task(self._publish(row, events, direct)) for row in rows]
        _, late = await asyncio.wait(publishes, timeout=_PUBLISH_TIMEOUT)
        for task in late:
            task.cancel()
        await asyncio.gather(*publishes, return_exceptions=True)
        return [
            TimeoutError("no confirm") if task.cancelled() else task.exception()  # unknown: sent again, absorbed
            for task in publishes
        ]

    async def _publish(self, row: Any, events: AbstractExchange, direct: AbstractExchange) -> None:
        message = message_of(row, self._service)
        if row.only_queue is not None:
            await direct.publish(message, routing_key=row.only_queue, mandatory=True, timeout=_PUBLISH_TIMEOUT)
            return
        event = EVENTS.get(row.type)
        awaited = event is not None and bool(queues_of(event))
        await events.publish(message, routing_key=row.type, mandatory=awaited, timeout=_PUBLISH_TIMEOUT)

    async def measure(self) -> None:
        """Age and number of what is unsent, for the alert that pages."""
        with everyone():
            async with self._database.read() as session:
                row = (await session.execute(_AGE)).one()
        metrics.outbox_oldest_seconds.labels(self._service).set(float(row.oldest))
        metrics.outbox_parked.labels(self._service).set(row.parked)
