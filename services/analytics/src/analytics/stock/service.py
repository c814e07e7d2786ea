"""The report on stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.auth import Principal
from kernel import Currency
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.context import AnalyticsContext
from analytics.figures import total
from analytics.measures import Measures
from analytics.query import ReportQuery
from analytics.report import Coverage, Found, coverage, produce
from analytics.stock import repository
from analytics.stock.schemas import BranchStock, MovementFigures, StockReport, StockTotals


async def stock(ctx: AnalyticsContext, caller: Principal, query: ReportQuery) -> StockReport:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> StockReport:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        levels = await repository.levels(session, covered)
        return StockReport(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            totals=StockTotals(**_totals(levels, currency)),
            by_branch=[BranchStock(branch_id=row.branch_id, **_totals([row], currency)) for row in levels],
            movements=[
                MovementFigures(type=row.type, movements=row.number, units=row.units)
                for row in await repository.movements(session, covered)
            ],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, StockReport, covered, compute, fresh=query.fresh, now=True)


def _totals(rows: Sequence[Found], currency: Currency) -> dict[str, Any]:
    """The fields of a StockTotals. A product that is at two branches is two of `products`."""
    return {
        "products": sum(row.products for row in rows),
        "units": sum(int(row.units) for row in rows),
        "cost_value": total(Measures.sum(rows, "cost_value"), currency),
        "price_value": total(Measures.sum(rows, "price_value"), currency),
        "without_cost": sum(row.without_cost for row in rows),
    }
