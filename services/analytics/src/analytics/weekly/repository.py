"""Weeks that have been told."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.weekly.models import WeeklyReport


async def told_since(session: AsyncSession, week: date) -> set[tuple[UUID, date]]:
    """business and week"""
    statement = select(WeeklyReport.business_id, WeeklyReport.week).where(WeeklyReport.week >= week)
    return {(row.business_id, row.week) for row in await session.execute(statement)}


async def take(session: AsyncSession, business_id: UUID, week: date, now: datetime) -> bool:
    """False: another process tells it, or has."""
    values = {"business_id": business_id, "week": week, "published_at": now}
    statement = insert(WeeklyReport).values(values).on_conflict_do_nothing().returning(WeeklyReport.week)
    return (await session.execute(statement)).first() is not None
