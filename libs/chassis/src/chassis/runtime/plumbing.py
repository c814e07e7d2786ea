"""The jobs and gRPC services that every service with a database has."""

from __future__ import annotations

from contracts.events.registry import PRODUCERS, QUEUES
from contracts.events.v1 import ledger_pb2, ledger_pb2_grpc
from sqlalchemy import text

from chassis.bus.audit import EventLedgerServicer, audit_deliveries
from chassis.bus.relay import Relay
from chassis.database.engine import Database
from chassis.rpc.server import RpcService
from chassis.runtime.jobs import Job
from chassis.runtime.kit import Kit
from chassis.settings import ServiceSettings

OUTBOX_DAYS = 7
INBOX_DAYS = 90
IDEMPOTENCY_DAYS = 30
_BATCH = 5000

_EXPIRED = (
    text(
        "DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox"
        " WHERE received_at < now() - make_interval(days => :days) LIMIT :batch)"
    ).bindparams(days=INBOX_DAYS, batch=_BATCH),
    text(
        "DELETE FROM idempotency_keys WHERE ctid IN (SELECT ctid FROM idempotency_keys"
        " WHERE created_at < now() - make_interval(days => :days) LIMIT :batch)"
    ).bindparams(days=IDEMPOTENCY_DAYS, batch=_BATCH),
)


def plumbing_jobs(kit: Kit[ServiceSettings], relay: Relay) -> list[Job]:
    database, service = kit.database, kit.service

    async def maintain_outbox() -> None:
        async with database.autocommit() as connection:
            await connection.execute(text("SELECT outbox_maintain(:days)"), {"days": OUTBOX_DAYS})

    async def sweep() -> None:
        for statement in _EXPIRED:
            await _delete_in_batches(database, statement)

    jobs = [
        Job("outbox-maintain", 3600, maintain_outbox),
        Job("retention-sweep", 3600, sweep),
        Job("outbox-measure", 15, relay.measure, exclusive=False),
    ]
    if service in PRODUCERS:
        consumers = {queue.service for queue in QUEUES}
        ledgers = {peer: ledger_pb2_grpc.EventLedgerStub(kit.channel(peer)) for peer in sorted(consumers)}
        jobs.append(Job("delivery-audit", 60, lambda: audit_deliveries(database, service, ledgers)))
    return jobs


def plumbing_rpc(database: Database) -> RpcService:
    return RpcService(
        ledger_pb2.DESCRIPTOR.services_by_name["EventLedger"].full_name,
        ledger_pb2_grpc.add_EventLedgerServicer_to_server,
        EventLedgerServicer(database),
    )


async def _delete_in_batches(database: Database, statement: object) -> None:
    while True:
        async with database.transaction() as unit:
            deleted = (await unit.session.execute(statement)).rowcount  # type: ignore[call-overload]
        if deleted < _BATCH:
            return
