"""Facts from the log, by the same translation and the same merging by which events make them.

1. The business is put down for a rebuild, under the lock that recording takes: from then on its events are logged and
   not counted, and all that is logged before is committed.
2. One transaction takes its facts away and makes them again from the log. Readers see the old ones until it commits.
3. At its end it takes the lock again, counts what came meanwhile, and takes the business off the list.

A process that dies leaves the list as it is: whoever looks next begins again at 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from chassis.cache import Cache
from chassis.database import Database, UnitOfWork
from chassis.runtime import Job
from chassis.telemetry.logs import get_logger
from contracts.events.registry import EVENTS
from kernel import Clock
from sqlalchemy import Row as Found
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.cached import forget_reports
from analytics.eventlog import repository as log
from analytics.facts import repository as facts
from analytics.facts.rows import Row, rows_of
from analytics.rebuild import repository

logger = get_logger(__name__)

_ROWS: Final = "row:"
_TURN: Final = text(
    "SELECT pg_try_advisory_xact_lock(hashtext('analytics.rebuild'), hashtext(CAST(:business AS text)))"
)


async def request(database: Database, clock: Clock, business_id: UUID | None = None) -> list[UUID]:
    """Put one business down, or all of whom anything was ever logged; returns them."""
    if business_id is None:
        async with database.read() as session:
            businesses = await log.businesses(session)
    else:
        businesses = [business_id]
    for each in businesses:

        async def work(unit: UnitOfWork, business: UUID = each) -> None:
            await facts.lock(unit.session, [business])
            known = await log.last_seq(unit.session, business)
            await repository.request(unit.session, business, clock.now(), known)

        await database.run(work)
    return businesses


async def work_off(database: Database, cache: Cache) -> int:
    """Make the facts again of whoever waits for it; returns how many businesses."""
    async with database.read() as session:
        waiting = await repository.waiting(session)
    done = 0
    for business_id in waiting:
        async with database.transaction() as unit:
            rebuilt = await _rebuild(unit.session, business_id)
        if rebuilt is not None:
            await forget_reports(cache, [business_id])
            logger.info("analytics.rebuilt", business_id=str(business_id), events=rebuilt)
            done += 1
    return done


def rebuild_job(database: Database, cache: Cache) -> Job:
    """Takes up what a process left that died while it rebuilt."""

    async def run() -> None:
        await work_off(database, cache)

    return Job("analytics-rebuild", 60, run)


async def _rebuild(session: AsyncSession, business_id: UUID) -> int | None:
    """None where another process is at it, or has done it."""
    if not (await session.execute(_TURN, {"business": str(business_id)})).scalar_one():
        return None
    known = await repository.known_seq(session, business_id)
    if known is None:
        return None
    days = await facts.all_days(session, business_id)
    await facts.forget(session, business_id)
    for fact in facts.FACTS:
        await facts.restore(session, fact.__tablename__, business_id, known)
    count = await _replay(session, business_id, 0, known)
    await facts.lock(session, [business_id])
    count += await _replay(session, business_id, known, None)
    await facts.mark(session, days | await facts.all_days(session, business_id))
    await repository.done(session, business_id)
    return count


async def _replay(session: AsyncSession, business_id: UUID, after: int, up_to: int | None) -> int:
    count = 0
    async for chunk in log.read(session, business_id, after, up_to):
        await facts.put(session, _rows(chunk))
        count += len(chunk)
    return count


def _rows(chunk: Sequence[Found[Any]]) -> list[Row]:
    return [
        row
        for logged in chunk
        if not logged.type.startswith(_ROWS)
        for row in rows_of(EVENTS[logged.type].model_validate(logged.body), logged.occurred_at)
    ]
