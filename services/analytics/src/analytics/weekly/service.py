"""The job that tells owners of their week."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.runtime import Job
from chassis.telemetry.logs import get_logger
from kernel import MoneyError, NotFound

from analytics.aggregates.repository import by_day, by_hour, by_measure, by_product
from analytics.context import AnalyticsContext
from analytics.eventlog import repository as log
from analytics.measures import Measures
from analytics.period import Period
from analytics.report import Coverage
from analytics.scope import Scope
from analytics.summary.repository import cash_differences
from analytics.weekly import repository
from analytics.weekly.calendar import week_to_tell
from analytics.weekly.events import weekly_ready

logger = get_logger(__name__)

EVERY: Final = 300.0
_WEEK: Final = timedelta(days=7)


def weekly_job(ctx: AnalyticsContext) -> Job:
    async def run() -> None:
        await tell_weeks(ctx)

    return Job("analytics-weekly", EVERY, run)


async def tell_weeks(ctx: AnalyticsContext) -> int:
    """Tell every business whose Monday morning it is; returns how many weeks were looked at. Raises Unavailable while
    auth cannot be asked: the rest waits for the next run."""
    today = ctx.clock.now().date()
    async with ctx.database.read() as session:
        businesses = await log.businesses(session)
        told = await repository.told_since(session, today - 3 * _WEEK)
    count = 0
    for business_id in businesses:
        try:
            business = await ctx.directory.business(business_id)
        except NotFound:
            continue
        period = week_to_tell(ctx.clock.now(), business.time_zone)
        if period is None or (business_id, period.first) in told:
            continue
        covered = Coverage(Scope(business, None, None), period, moving=False)
        try:
            await _tell(ctx, covered)
        except MoneyError:
            # More than one amount can be; its week stays untold rather than holding up everybody else's.
            logger.exception("analytics.week_not_told", business_id=str(business_id))
            continue
        count += 1
    return count


async def _tell(ctx: AnalyticsContext, covered: Coverage) -> None:
    """Note of it and event in one transaction, and of a week without anything to tell the note alone."""
    business_id: UUID = covered.scope.business.id
    both = replace(covered, period=Period(covered.period.first - _WEEK, covered.period.last))

    async def work(unit: UnitOfWork) -> None:
        session = unit.session
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        if not await repository.take(session, business_id, covered.period.first, ctx.clock.now()):
            return
        event = weekly_ready(
            covered,
            figures=Measures(await by_measure(session, covered), covered.scope.business.currency),
            days=await by_day(session, both, "sale"),
            hours=await by_hour(session, covered),
            products=await by_product(session, covered),
            cash_difference=(await cash_differences(session, covered)).difference,
        )
        if event is not None:
            unit.publish(event)

    await ctx.database.run(work)
