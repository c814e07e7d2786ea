"""Closed drawers, summed by the day of their opening and by register."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.facts.models import CashSessionFact
from analytics.report import Coverage, Found


async def closings(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """day, register_id, branch_id, name, closed_at, number, expected, counted, difference, short_number, short,
    over_number, over, needing_approval"""
    scope, period = covered.scope, covered.period
    difference = CashSessionFact.difference
    statement = (
        select(
            CashSessionFact.business_day.label("day"),
            CashSessionFact.register_id,
            CashSessionFact.branch_id,
            func.max(CashSessionFact.register_name).label("name"),
            func.max(CashSessionFact.closed_at).label("closed_at"),
            func.count().label("number"),
            func.sum(CashSessionFact.expected_cash).label("expected"),
            func.sum(CashSessionFact.closing_cash).label("counted"),
            func.sum(difference).label("difference"),
            func.count().filter(difference < 0).label("short_number"),
            func.coalesce(func.sum(difference).filter(difference < 0), 0).label("short"),
            func.count().filter(difference > 0).label("over_number"),
            func.coalesce(func.sum(difference).filter(difference > 0), 0).label("over"),
            func.count().filter(CashSessionFact.needs_approval).label("needing_approval"),
        )
        .where(
            CashSessionFact.business_id == scope.business.id,
            CashSessionFact.currency == scope.business.currency.value,
            CashSessionFact.business_day.between(period.first, period.last),
        )
        .group_by(CashSessionFact.business_day, CashSessionFact.register_id, CashSessionFact.branch_id)
        .order_by(CashSessionFact.business_day, CashSessionFact.register_id)
    )
    if scope.branches is not None:
        statement = statement.where(CashSessionFact.branch_id.in_(scope.branches))
    return (await session.execute(statement)).all()
