"""The delivery audit heals a queue that lost what it confirmed."""

from typing import Any

import grpc
import pytest
from chassis.bus.audit import EventLedgerServicer, audit_deliveries
from chassis.bus.received import Received
from chassis.database import Database
from contracts.events.auth import UserRegistered
from contracts.events.registry import QUEUES, queues_of
from contracts.events.v1 import ledger_pb2
from kernel import new_id
from sqlalchemy import text

# The audit is a job, and jobs see everyone.
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("as_everyone")]

QUEUE = queues_of(UserRegistered)[0].name


class Ledger:
    """A consumer's ledger, called without a socket between."""

    def __init__(self, database: Database) -> None:
        self._servicer = EventLedgerServicer(database)
        self.away = False

    async def FindMissing(self, request: ledger_pb2.FindMissingRequest, timeout: float) -> Any:
        if self.away:
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
        return await self._servicer.FindMissing(request, None)


class Complete:
    """The ledger of a consumer that misses nothing."""

    async def FindMissing(self, request: ledger_pb2.FindMissingRequest, timeout: float) -> Any:
        return ledger_pb2.FindMissingResponse()


def ledgers_with(ledger: Ledger) -> Any:
    """Of every service: other tests of this database have sent events of their own, to others."""
    return {item.service: Complete() for item in QUEUES} | {QUEUE.partition(".")[0]: ledger}


async def sent_a_while_ago(database: Database) -> UserRegistered:
    event = UserRegistered(aggregate_id=new_id(), aggregate_version=1, role="MERCHANT")
    async with database.transaction() as unit:
        unit.publish(event)
    async with database.transaction() as unit:
        await unit.session.execute(
            text("UPDATE outbox SET sent_at = now() - interval '5 minutes' WHERE aggregate_id = :id"),
            {"id": event.aggregate_id},
        )
    return event


async def resent(database: Database, event: UserRegistered) -> list[Any]:
    async with database.read() as session:
        rows = await session.execute(
            text("SELECT event_id, only_queue FROM outbox WHERE aggregate_id = :id AND only_queue IS NOT NULL"),
            {"id": event.aggregate_id},
        )
        return list(rows)


async def test_what_never_arrived_is_sent_again_once(database: Database) -> None:
    event = await sent_a_while_ago(database)
    ledgers = ledgers_with(Ledger(database))

    await audit_deliveries(database, "auth", ledgers)
    await audit_deliveries(database, "auth", ledgers)

    [again] = await resent(database, event)
    assert again.only_queue == QUEUE


async def test_what_arrived_is_left_alone(database: Database) -> None:
    event = await sent_a_while_ago(database)
    async with database.read() as session:
        event_id = (
            await session.execute(
                text("SELECT event_id FROM outbox WHERE aggregate_id = :id"), {"id": event.aggregate_id}
            )
        ).scalar_one()
    async with database.transaction() as unit:
        assert await unit.accept(Received(event_id, QUEUE, event, unit.clock.now()))

    await audit_deliveries(database, "auth", ledgers_with(Ledger(database)))

    assert await resent(database, event) == []


async def test_a_consumer_that_is_away_is_asked_next_time(database: Database) -> None:
    event = await sent_a_while_ago(database)
    ledger = Ledger(database)
    ledgers = ledgers_with(ledger)

    ledger.away = True
    await audit_deliveries(database, "auth", ledgers)
    assert await resent(database, event) == []
    ledger.away = False
    await audit_deliveries(database, "auth", ledgers)
    assert len(await resent(database, event)) == 1
