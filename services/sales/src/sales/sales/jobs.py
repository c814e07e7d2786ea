"""The resumer: whatever a dead driver left half done is carried on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis.runtime import Job
from chassis.telemetry.logs import get_logger
from prometheus_client import Gauge

from sales.context import SalesContext
from sales.sales import repository, saga

log = get_logger(__name__)

overdue_seconds = Gauge("cobro_sales_overdue_seconds", "How long the most overdue sale has waited to be carried on")

_BATCH = 20
# A round ends within the time that a stopping process waits for its jobs.
_BATCHES = 25
_AT_ONCE = 4


def resumer(ctx: SalesContext) -> Job:
    """In every process: the rows' leases divide the work."""
    return Job("sales-resume", ctx.settings.resume_every, lambda: resume_due(ctx), exclusive=False)


async def resume_due(ctx: SalesContext) -> int:
    """One round; returns how many sales were taken up. After an outage the backlog is worked off without pauses."""
    now = ctx.clock.now()
    async with ctx.database.read() as session:
        oldest = await repository.oldest_overdue(session, now)
    overdue_seconds.set((now - oldest).total_seconds() if oldest else 0)
    taken = 0
    for _ in range(_BATCHES if oldest else 0):
        async with ctx.database.transaction() as unit:
            due = await repository.take_due(unit, now=ctx.clock.now(), lease=ctx.settings.lease, limit=_BATCH)
        await _resume_all(ctx, due)
        taken += len(due)
        if len(due) < _BATCH:
            break
    return taken


async def _resume_all(ctx: SalesContext, due: Sequence[UUID]) -> None:
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(sale_id: UUID) -> None:
        async with free:
            try:
                await saga.resume(ctx, sale_id)
            except Exception as error:  # one sale's trouble must not keep the others waiting
                log.error("sale.resume_failed", sale_id=str(sale_id), exc_info=error)

    await asyncio.gather(*map(one, due))
