"""Levels by branch, and movements of some days."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.days import instants
from analytics.facts.models import ProductFact, StockFact, StockLevelFact
from analytics.report import Coverage, Found


async def levels(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """branch_id, products, units, cost_value, price_value, without_cost; of products that were not deleted"""
    scope = covered.scope
    units = func.greatest(StockLevelFact.on_hand, 0)
    statement = (
        select(
            StockLevelFact.branch_id,
            func.count().filter(units > 0).label("products"),
            func.sum(units).label("units"),
            func.coalesce(func.sum(units * ProductFact.cost), 0).label("cost_value"),
            func.coalesce(func.sum(units * ProductFact.price), 0).label("price_value"),
            func.count().filter(units > 0, ProductFact.cost.is_(None)).label("without_cost"),
        )
        .join(
            ProductFact,
            and_(ProductFact.id == StockLevelFact.product_id, ProductFact.business_id == StockLevelFact.business_id),
        )
        .where(
            StockLevelFact.business_id == scope.business.id,
            ProductFact.currency == scope.business.currency.value,
            ProductFact.is_deleted.is_(False),
        )
        .group_by(StockLevelFact.branch_id)
        .order_by(StockLevelFact.branch_id)
    )
    if scope.branches is not None:
        statement = statement.where(StockLevelFact.branch_id.in_(scope.branches))
    return (await session.execute(statement)).all()


async def movements(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """type, number, units. A movement's event names no time zone, so the business's of today decides on its day."""
    scope, period = covered.scope, covered.period
    start, end = instants(period.first, period.last, scope.business.time_zone)
    statement = (
        select(
            StockFact.movement_type.label("type"),
            func.count().label("number"),
            func.sum(StockFact.change).label("units"),
        )
        .where(StockFact.business_id == scope.business.id, StockFact.occurred_at >= start, StockFact.occurred_at < end)
        .group_by(StockFact.movement_type)
        .order_by(StockFact.movement_type)
    )
    if scope.branches is not None:
        statement = statement.where(StockFact.branch_id.in_(scope.branches))
    return (await session.execute(statement)).all()
