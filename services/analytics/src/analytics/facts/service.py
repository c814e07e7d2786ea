"""Record what events say, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis import tenancy
from chassis.bus.received import Received
from chassis.cache import Cache
from chassis.database import Database, UnitOfWork
from contracts.events import DomainEvent
from kernel import Clock

from analytics.cached import forget_reports
from analytics.eventlog import repository as log
from analytics.facts import repository
from analytics.facts.repository import Day
from analytics.facts.rows import Row
from analytics.rebuild.repository import under_rebuild

# Reports of younger days are remembered for seconds only.
_SETTLED: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Told:
    """An event with the rows it stands for."""

    received: Received[DomainEvent]
    rows: Sequence[Row]

    @property
    def business_id(self) -> UUID:
        business_id = self.received.event.business_id
        assert business_id is not None
        return business_id


class Recorder:
    """Events become rows, in the transaction in which the inbox takes note of them."""

    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock

    async def record(self, batch: Sequence[Told]) -> None:
        """Every event once, whatever has been recorded before; all of the batch or nothing."""
        businesses = {told.business_id for told in batch}

        async def work(unit: UnitOfWork) -> set[Day]:
            return await self._record(unit, batch, businesses)

        # The rows of these businesses and no others: an event cannot reach further than its own.
        with tenancy.only(*businesses):
            days = await self._database.run(work)
        for told in batch:
            told.received.accepted = True
        settled = (self._clock.now() - _SETTLED).date()
        await forget_reports(self._cache, {business_id for business_id, day in days if day <= settled})

    async def _record(self, unit: UnitOfWork, batch: Sequence[Told], businesses: set[UUID]) -> set[Day]:
        session = unit.session
        await repository.lock(session, businesses)
        new = await repository.accept(session, [told.received for told in batch], self._clock.now())
        fresh = list({told.received.id: told for told in batch if told.received.id in new}.values())
        if not fresh:
            return set()
        await log.append(session, [told.received for told in fresh])
        later = await under_rebuild(session, businesses)
        rows = [row for told in fresh if told.business_id not in later for row in told.rows]
        if not rows:
            return set()
        days = await repository.days_of(session, rows)
        await repository.put(session, rows)
        days |= await repository.days_of(session, rows)
        await repository.mark(session, days)
        return days
