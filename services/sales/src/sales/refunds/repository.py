"""Queries over refunds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from sales.refunds.models import Refund
from sales.refunds.status import RefundStep


async def find(session: AsyncSession, refund_id: UUID) -> Refund | None:
    query = select(Refund).where(Refund.id == refund_id).options(selectinload(Refund.items))
    return (await session.execute(query)).scalar_one_or_none()


async def lock(unit: UnitOfWork, refund_id: UUID) -> Refund | None:
    """The refund with its items, under FOR UPDATE. After the sale's lock."""
    query = select(Refund).where(Refund.id == refund_id).options(selectinload(Refund.items)).with_for_update()
    return (await unit.session.execute(query)).scalar_one_or_none()


async def of_provider(session: AsyncSession, provider_refund_id: UUID) -> UUID | None:
    query = select(Refund.id).where(Refund.provider_refund_id == provider_refund_id)
    return (await session.execute(query)).scalar_one_or_none()


async def unnamed(session: AsyncSession, sale_id: UUID) -> Sequence[Refund]:
    """Refunds of the sale whose ids at payments are not known yet."""
    query = (
        select(Refund)
        .where(Refund.sale_id == sale_id, Refund.step == RefundStep.PAYING_BACK)
        .options(selectinload(Refund.items))
        .order_by(Refund.id)
    )
    return (await session.execute(query)).scalars().all()


async def page(session: AsyncSession, sale_id: UUID, params: PageParams) -> Slice:
    """Newest first, with items."""
    query = select(Refund).where(Refund.sale_id == sale_id).options(selectinload(Refund.items))
    return await fetch_page(session, query, params, created_at=Refund.created_at, id=Refund.id)


async def take_due(unit: UnitOfWork, *, now: datetime, lease: timedelta, limit: int) -> Sequence[UUID]:
    """Refunds that nobody has carried on in time, each given to the caller alone for the length of the lease."""
    due = (
        select(Refund.id)
        .where(Refund.resume_at <= now)
        .order_by(Refund.resume_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Refund)
        .where(Refund.id.in_(due))
        .values(resume_at=now + lease, resume_attempts=Refund.resume_attempts + 1)
        .returning(Refund.id)
        .execution_options(synchronize_session=False)
    )
    return (await unit.session.execute(statement)).scalars().all()


async def oldest_overdue(session: AsyncSession, now: datetime) -> datetime | None:
    """When the refund that waits longest to be carried on became due."""
    query = select(func.min(Refund.resume_at)).where(Refund.resume_at.is_not(None), Refund.resume_at <= now)
    return (await session.execute(query)).scalar_one()
