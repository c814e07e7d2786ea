"""The report on payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.repository import by_day, by_measure
from analytics.context import AnalyticsContext
from analytics.figures import figure
from analytics.intervals import Interval, start_of, starts
from analytics.measures import Measures
from analytics.payments.figures import failures_by_provider, payments_of, success_rate, tenders_of
from analytics.payments.schemas import PaymentsPoint, PaymentsReport
from analytics.query import ReportQuery
from analytics.report import Coverage, Found, coverage, produce

_MEASURES = ("payment_created", "payment_confirmed", "payment_failed", "payment_refunded")


async def payments(ctx: AnalyticsContext, caller: Principal, query: ReportQuery, interval: Interval) -> PaymentsReport:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> PaymentsReport:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        found = Measures(await by_measure(session, covered), currency)
        by_start: defaultdict[date, list[Found]] = defaultdict(list)
        for row in await by_day(session, covered, *_MEASURES):
            by_start[start_of(row.day, interval)].append(row)
        return PaymentsReport(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            interval=interval,
            tenders=tenders_of(found),
            payments=payments_of(found, currency),
            failures_by_provider=failures_by_provider(found, currency),
            points=[_point(start, by_start[start], currency) for start in starts(period.first, period.last, interval)],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, PaymentsReport, covered, compute, fresh=query.fresh, variant=interval.value)


def _point(start: date, rows: Sequence[Found], currency: Currency) -> PaymentsPoint:
    created, confirmed, failed, refunded = (
        figure(
            sum(row.number for row in rows if row.measure == measure),
            Measures.sum((row for row in rows if row.measure == measure), "amount"),
            currency,
        )
        for measure in _MEASURES
    )
    return PaymentsPoint(
        date=start,
        created=created,
        confirmed=confirmed,
        failed=failed,
        refunded=refunded,
        success_rate=success_rate(confirmed, failed),
    )
