"""What a summary needs beyond the figures of its days."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.facts.models import CashSessionFact
from analytics.report import Coverage, Found


async def cash_differences(session: AsyncSession, covered: Coverage) -> Found:
    """number, difference: of drawers that were opened on these days and are closed"""
    scope, period = covered.scope, covered.period
    statement = select(func.count().label("number"), func.sum(CashSessionFact.difference).label("difference")).where(
        CashSessionFact.business_id == scope.business.id,
        CashSessionFact.currency == scope.business.currency.value,
        CashSessionFact.business_day.between(period.first, period.last),
    )
    if scope.branches is not None:
        statement = statement.where(CashSessionFact.branch_id.in_(scope.branches))
    return (await session.execute(statement)).one()
