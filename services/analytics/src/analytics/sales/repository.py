"""Completed sales by day."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.repository import by_day
from analytics.report import Coverage, Found


async def sales_by_day(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """day, number, amount, tax, discount; days without a sale have no row"""
    return await by_day(session, covered, "sale")
