"""The best sellers of some days."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from chassis.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.repository import by_product
from analytics.context import AnalyticsContext
from analytics.figures import total
from analytics.measures import Measures
from analytics.query import ReportQuery
from analytics.report import Coverage, coverage, produce
from analytics.top_products.schemas import ProductFigures, Ranking, TopProducts

_PERCENT: Final = Decimal("0.01")


async def top_products(
    ctx: AnalyticsContext, caller: Principal, query: ReportQuery, by: Ranking, limit: int
) -> TopProducts:
    """Raises what `coverage` raises."""
    covered = await coverage(ctx, caller, query)

    async def compute(session: AsyncSession, covered: Coverage) -> TopProducts:
        scope, period = covered.scope, covered.period
        currency = scope.business.currency
        found = [row for row in await by_product(session, covered) if row.sold]
        revenue = Measures.sum(found, "revenue")
        return TopProducts(
            business_id=scope.business.id,
            branch_id=scope.branch_id,
            first=period.first,
            last=period.last,
            time_zone=scope.business.time_zone,
            currency=currency,
            by=by,
            products_sold=len(found),
            products=[
                ProductFigures(
                    product_id=row.product_id,
                    name=row.name,
                    units=row.sold,
                    revenue=total(row.revenue, currency),
                    returned=row.returned,
                    refunded=total(row.refunded, currency),
                    share=_share(row.revenue, revenue),
                )
                for row in best(found, by)[:limit]
            ],
            generated_at=ctx.clock.now(),
        )

    return await produce(ctx, TopProducts, covered, compute, fresh=query.fresh, variant=f"{by.value}:{limit}")


def best(rows: Sequence[Any], by: Ranking) -> Sequence[Any]:
    """The same order whatever order they come in."""
    if by is Ranking.UNITS:
        return sorted(rows, key=lambda row: (-row.sold, -row.revenue, row.product_id))
    return sorted(rows, key=lambda row: (-row.revenue, -row.sold, row.product_id))


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (part * 100 / whole if whole else Decimal(0)).quantize(_PERCENT, ROUND_HALF_UP)
