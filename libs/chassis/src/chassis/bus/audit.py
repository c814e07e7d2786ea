"""The delivery audit: producers' outboxes and consumers' inboxes are compared, and what never arrived is sent again.

This is what makes the broker an accelerator and not a store: a queue that lost its confirmed messages heals in minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

import grpc
from contracts.events.registry import EVENTS, queues_of
from contracts.events.v1 import ledger_pb2, ledger_pb2_grpc
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid

from chassis.database.engine import Database
from chassis.database.plumbing import inbox
from chassis.telemetry import metrics
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

# Younger events may be on their way; older ones were audited before.
_RECENT = text(
    "SELECT event_id, type FROM outbox"
    " WHERE created_at > now() - interval '1 day' AND only_queue IS NULL"
    " AND sent_at BETWEEN now() - interval '15 minutes' AND now() - interval '2 minutes' LIMIT 5000"
)
# Once per event and queue: what is dead-lettered or held must not be multiplied.
_RESEND = text(
    "INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body, headers,"
    " occurred_at, only_queue)"
    " SELECT DISTINCT ON (event_id) event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body,"
    " headers, occurred_at, CAST(:queue AS text) FROM outbox AS original"
    " WHERE event_id = ANY(:ids) AND only_queue IS NULL AND NOT EXISTS"
    " (SELECT FROM outbox AS again WHERE again.event_id = original.event_id AND again.only_queue = :queue)"
    " RETURNING event_id"
).bindparams(bindparam("ids", type_=ARRAY(PgUuid(as_uuid=True))))


class EventLedgerServicer(ledger_pb2_grpc.EventLedgerServicer):
    """Says which events this service's inbox does not have."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def FindMissing(self, request: ledger_pb2.FindMissingRequest, _: object) -> ledger_pb2.FindMissingResponse:
        ids = [UUID(value) for value in request.event_ids]
        async with self._database.read() as session:
            query = select(inbox.c.event_id).where(inbox.c.queue == request.queue, inbox.c.event_id.in_(ids))
            known = set((await session.execute(query)).scalars())
        missing = [str(event_id) for event_id in ids if event_id not in known]
        return ledger_pb2.FindMissingResponse(missing_event_ids=missing)


async def audit_deliveries(
    database: Database, service: str, ledgers: Mapping[str, ledger_pb2_grpc.EventLedgerStub]
) -> int:
    """One round, over everyone's events; returns how many deliveries were sent again. A consumer that does not answer
    is asked next time."""
    async with database.read() as session:
        rows = (await session.execute(_RECENT)).all()
    expected: defaultdict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        for target in queues_of(EVENTS[row.type]) if row.type in EVENTS else ():
            expected[target.name].append(row.event_id)
    resent = 0
    for name, ids in expected.items():
        request = ledger_pb2.FindMissingRequest(queue=name, event_ids=map(str, ids))
        try:
            answer = await ledgers[name.partition(".")[0]].FindMissing(request, timeout=5)
        except grpc.aio.AioRpcError as error:
            log.warning("audit.consumer_unavailable", queue=name, code=error.code().name)
            continue
        missing = [UUID(value) for value in answer.missing_event_ids]
        if not missing:
            continue
        async with database.transaction() as unit:
            again = len((await unit.session.execute(_RESEND, {"queue": name, "ids": missing})).all())
        if again:
            log.error("audit.sent_again", queue=name, events=again)
            metrics.outbox_resent.labels(service, name).inc(again)
            database.wake_relay()
            resent += again
    return resent
