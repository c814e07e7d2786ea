"""Appending to the log, and reading it from the beginning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from chassis.bus.received import Received
from contracts.events import DomainEvent
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.eventlog.models import LoggedEvent

_CHUNK: Final = 5_000

_APPEND: Final = text(
    "INSERT INTO event_log (business_id, event_id, type, occurred_at, body)"
    " VALUES (:business_id, :event_id, :type, :occurred_at, CAST(:body AS json))"
)


async def append(session: AsyncSession, events: Sequence[Received[DomainEvent]]) -> None:
    await session.execute(
        _APPEND,
        [
            {
                "business_id": received.event.business_id,
                "event_id": received.id,
                "type": received.event.type,
                "occurred_at": received.occurred_at,
                "body": received.event.model_dump_json(by_alias=True),
            }
            for received in events
        ],
    )


async def last_seq(session: AsyncSession, business_id: UUID) -> int:
    """0 of an empty log."""
    found = await session.execute(select(func.max(LoggedEvent.seq)).where(LoggedEvent.business_id == business_id))
    return found.scalar_one() or 0


async def read(
    session: AsyncSession, business_id: UUID, after: int, up_to: int | None
) -> AsyncIterator[Sequence[Row[Any]]]:
    """What is logged behind `after`, in chunks: seq, type, occurred_at, body."""
    while True:
        statement = (
            select(LoggedEvent.seq, LoggedEvent.type, LoggedEvent.occurred_at, LoggedEvent.body)
            .where(LoggedEvent.business_id == business_id, LoggedEvent.seq > after)
            .order_by(LoggedEvent.seq)
            .limit(_CHUNK)
        )
        if up_to is not None:
            statement = statement.where(LoggedEvent.seq <= up_to)
        rows = (await session.execute(statement)).all()
        if not rows:
            return
        yield rows
        after = rows[-1].seq


async def businesses(session: AsyncSession) -> list[UUID]:
    """Everybody of whom anything was logged, by a loose scan: the log is long and its businesses are few."""
    walk = text(
        "WITH RECURSIVE walk AS ((SELECT business_id FROM event_log ORDER BY business_id LIMIT 1) UNION ALL"
        " SELECT (SELECT business_id FROM event_log WHERE business_id > walk.business_id ORDER BY business_id LIMIT 1)"
        " FROM walk WHERE walk.business_id IS NOT NULL) SELECT business_id FROM walk WHERE business_id IS NOT NULL"
    )
    return list((await session.execute(walk)).scalars())
