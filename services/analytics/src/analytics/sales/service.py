"""Sales over time, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.context import AnalyticsContext
from analytics.figures import average, total
from analytics.intervals import Interval, start_of, starts
from analytics.query import ReportQuery
from analytics.report import Coverage, Found, coverage, produce
from analytics.sales import repository
from analytics.sales.schemas import SalesPoint, SalesSeries


async def series(ctx: AnalyticsContext, caller: Principal, query: ReportQuery, interval: Interval) -> SalesSeries:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> SalesSeries:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        by_start: defaultdict[date, list[Found]] = defaultdict(list)
        for row in await repository.sales_by_day(session, covered):
            by_start[start_of(row.day, interval)].append(row)
        return SalesSeries(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            interval=interval,
            points=[_point(start, by_start[start], currency) for start in starts(period.first, period.last, interval)],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, SalesSeries, covered, compute, fresh=query.fresh, variant=interval.value)


def _point(start: date, rows: Sequence[Found], currency: Currency) -> SalesPoint:
    count = sum(row.number for row in rows)
    revenue = total(sum((row.amount for row in rows), Decimal(0)), currency)
    return SalesPoint(
        date=start,
        sales_count=count,
        revenue=revenue,
        tax=total(sum((row.tax for row in rows), Decimal(0)), currency),
        discount=total(sum((row.discount for row in rows), Decimal(0)), currency),
        average_ticket=average(revenue, count, currency),
    )
