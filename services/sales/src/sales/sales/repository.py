"""Queries over sales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import ColumnElement, Text, and_, cast, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from sales.sales.models import Sale
from sales.sales.status import PaymentMethod, SaleStatus


@dataclass(frozen=True, slots=True)
class Visible:
    """A business whose sales a caller may see; branches None stands for all of them."""

    business_id: UUID
    branches: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class SaleFilter:
    """visible None stands for an administrator's all; created_from is inclusive, created_to exclusive."""

    visible: Sequence[Visible] | None
    branch_id: UUID | None = None
    status: SaleStatus | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    method: PaymentMethod | None = None
    cash_session_id: UUID | None = None
    created_by: UUID | None = None
    text: str | None = None


async def find(session: AsyncSession, sale_id: UUID) -> Sale | None:
    query = select(Sale).where(Sale.id == sale_id).options(selectinload(Sale.items))
    return (await session.execute(query)).scalar_one_or_none()


async def lock(unit: UnitOfWork, sale_id: UUID) -> Sale | None:
    """The sale with its items, under FOR UPDATE: no two transactions move it at once."""
    query = select(Sale).where(Sale.id == sale_id).options(selectinload(Sale.items)).with_for_update()
    return (await unit.session.execute(query)).scalar_one_or_none()


async def page(session: AsyncSession, chosen: SaleFilter, params: PageParams) -> Slice:
    """Newest first, with items."""
    query = select(Sale).options(selectinload(Sale.items)).where(*_conditions(chosen))
    return await fetch_page(session, query, params, created_at=Sale.created_at, id=Sale.id)


async def take_due(unit: UnitOfWork, *, now: datetime, lease: timedelta, limit: int) -> Sequence[UUID]:
    """Sales that nobody has carried on in time, each given to the caller alone for the length of the lease, and for
    longer the more often that has happened."""
    due = (
        select(Sale.id)
        .where(Sale.resume_at <= now)
        .order_by(Sale.resume_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    backoff = func.make_interval(0, 0, 0, 0, 0, 0, func.least(func.power(2, func.least(Sale.resume_attempts, 9)), 300))
    statement = (
        update(Sale)
        .where(Sale.id.in_(due))
        .values(resume_at=now + lease + backoff, resume_attempts=Sale.resume_attempts + 1)
        .returning(Sale.id)
        .execution_options(synchronize_session=False)
    )
    return (await unit.session.execute(statement)).scalars().all()


async def oldest_overdue(session: AsyncSession, now: datetime) -> datetime | None:
    """When the sale that waits longest to be carried on became due."""
    query = select(func.min(Sale.resume_at)).where(Sale.resume_at.is_not(None), Sale.resume_at <= now)
    return (await session.execute(query)).scalar_one()


def _conditions(chosen: SaleFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.visible is not None:
        conditions.append(_within(chosen.visible))
    if chosen.branch_id is not None:
        conditions.append(Sale.branch_id == chosen.branch_id)
    if chosen.status is not None:
        conditions.append(Sale.status == chosen.status)
    if chosen.created_from is not None:
        conditions.append(Sale.created_at >= chosen.created_from)
    if chosen.created_to is not None:
        conditions.append(Sale.created_at < chosen.created_to)
    if chosen.method is not None:
        conditions.append(_paid_by(chosen.method))
    if chosen.cash_session_id is not None:
        conditions.append(Sale.cash_session_id == chosen.cash_session_id)
    if chosen.created_by is not None:
        conditions.append(Sale.created_by == chosen.created_by)
    if chosen.text is not None:
        conditions.append(_says(chosen.text))
    return conditions


def _paid_by(method: PaymentMethod) -> ColumnElement[bool]:
    """A split sale is found by either of its methods."""
    if method is PaymentMethod.CASH:
        return or_(Sale.payment_method == method, Sale.cash_amount > 0)
    return Sale.payment_method == method


def _says(words: str) -> ColumnElement[bool]:
    """In its notes, or the end of its id: the number that buyers see on what they pay."""
    number = func.right(cast(Sale.id, Text), 8)
    return or_(Sale.notes.icontains(words, autoescape=True), number == words.lower())


def _within(visible: Sequence[Visible]) -> ColumnElement[bool]:
    whole = [item.business_id for item in visible if item.branches is None]
    parts: list[ColumnElement[bool]] = [Sale.business_id.in_(whole)] if whole else []
    parts += [
        and_(Sale.business_id == item.business_id, Sale.branch_id.in_(item.branches))
        for item in visible
        if item.branches
    ]
    return or_(*parts) if parts else false()
