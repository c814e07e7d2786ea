"""The resumer of refunds: whatever a dead driver left half done, and whatever no event told of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis.runtime import Job
from chassis.telemetry.logs import get_logger
from prometheus_client import Gauge

from sales.context import SalesContext
from sales.refunds import repository, saga

log = get_logger(__name__)

overdue_seconds = Gauge(
    "cobro_sales_refunds_overdue_seconds", "How long the most overdue refund has waited to be carried on"
)

_BATCH = 20
_AT_ONCE = 4


def resumer(ctx: SalesContext) -> Job:
    """In every process: the rows' leases divide the work."""
    return Job("sales-refunds-resume", ctx.settings.resume_every, lambda: resume_due(ctx), exclusive=False)


async def resume_due(ctx: SalesContext) -> int:
    """One round; returns how many refunds were taken up."""
    now = ctx.clock.now()
    async with ctx.database.read() as session:
        oldest = await repository.oldest_overdue(session, now)
    overdue_seconds.set((now - oldest).total_seconds() if oldest else 0)
    if oldest is None:
        return 0
    async with ctx.database.transaction() as unit:
        due = await repository.take_due(unit, now=now, lease=ctx.settings.lease, limit=_BATCH)
    await _resume_all(ctx, due)
    return len(due)


async def _resume_all(ctx: SalesContext, due: Sequence[UUID]) -> None:
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(refund_id: UUID) -> None:
        async with free:
            try:
                await saga.resume(ctx, refund_id)
            except Exception as error:  # one refund's trouble must not keep the others waiting
                log.error("refund.resume_failed", refund_id=str(refund_id), exc_info=error)

    await asyncio.gather(*map(one, due))
