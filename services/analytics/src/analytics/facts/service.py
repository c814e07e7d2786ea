"""Record what an event says, once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from chassis.bus.received import Received
from chassis.database import UnitOfWork
from contracts.events import DomainEvent

from analytics.context import AnalyticsContext
from analytics.facts import repository
from analytics.facts.rows import Row


async def record(ctx: AnalyticsContext, received: Received[DomainEvent], rows: Sequence[Row]) -> None:
    """The rows, in the transaction in which the inbox takes note of the event."""
    if len(rows) == 1:
        [(fact, values)] = rows
        await repository.put_once(ctx.database, received, fact, values, ctx.clock.now())
        return

    async def work(unit: UnitOfWork) -> None:
        if not await unit.accept(received):
            return
        for fact, of_fact in groupby(rows, key=itemgetter(0)):
            await repository.put(unit.session, fact, [values for _, values in of_fact])

    await ctx.database.run(work)
