"""Sales by hour of the day and by day of the week."""

from __future__ import annotations

from chassis.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.repository import by_hour
from analytics.context import AnalyticsContext
from analytics.figures import total
from analytics.hours.schemas import CellFigures, HourFigures, HoursReport, WeekdayFigures
from analytics.measures import Measures
from analytics.query import ReportQuery
from analytics.report import Coverage, coverage, produce


async def hours(ctx: AnalyticsContext, caller: Principal, query: ReportQuery) -> HoursReport:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> HoursReport:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        rows = await by_hour(session, covered)
        by_clock = {hour: [row for row in rows if row.hour == hour] for hour in range(24)}
        by_weekday = {weekday: [row for row in rows if row.weekday == weekday] for weekday in range(1, 8)}
        return HoursReport(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            hours=[
                HourFigures(
                    hour=hour,
                    sales_count=sum(row.number for row in found),
                    revenue=total(Measures.sum(found, "revenue"), currency),
                )
                for hour, found in by_clock.items()
            ],
            weekdays=[
                WeekdayFigures(
                    weekday=weekday,
                    sales_count=sum(row.number for row in found),
                    revenue=total(Measures.sum(found, "revenue"), currency),
                )
                for weekday, found in by_weekday.items()
            ],
            grid=[
                CellFigures(
                    weekday=row.weekday, hour=row.hour, sales_count=row.number, revenue=total(row.revenue, currency)
                )
                for row in rows
            ],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, HoursReport, covered, compute, fresh=query.fresh)
