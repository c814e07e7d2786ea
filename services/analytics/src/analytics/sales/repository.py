"""Completed sales by day."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.facts.models import SaleFact
from analytics.report import Coverage, Found


async def sales_by_day(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """day, number, revenue, tax, discount; days without a sale have no row"""
    scope, period = covered.scope, covered.period
    statement = (
        select(
            SaleFact.completed_day.label("day"),
            func.count().label("number"),
            func.sum(SaleFact.total).label("revenue"),
            func.sum(SaleFact.tax).label("tax"),
            func.sum(SaleFact.discount).label("discount"),
        )
        .where(
            SaleFact.business_id == scope.business.id,
            SaleFact.currency == scope.business.currency.value,
            SaleFact.completed_day.between(period.first, period.last),
        )
        .group_by(SaleFact.completed_day)
        .order_by(SaleFact.completed_day)
    )
    if scope.branches is not None:
        statement = statement.where(SaleFact.branch_id.in_(scope.branches))
    return (await session.execute(statement)).all()
