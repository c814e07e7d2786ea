"""Queries over sessions, their ledger and their sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from sales.cash_sessions.models import CashEntry, CashSession, CashTotal
from sales.cash_sessions.status import EntryKind, MovementType, SessionStatus
from sales.sales.models import Sale
from sales.sales.status import SaleStatus

_PENDING_CAP = 1000
"""Pending sales are counted up to here: a closing takes the same time after any day."""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Days are business days, both inclusive. None leaves a filter out."""

    status: SessionStatus | None = None
    day_from: date | None = None
    day_to: date | None = None
    needs_approval: bool | None = None


async def find(session: AsyncSession, register_id: UUID, session_id: UUID) -> CashSession | None:
    query = select(CashSession).where(CashSession.id == session_id, CashSession.register_id == register_id)
    return (await session.execute(query)).scalar_one_or_none()


async def lock(unit: UnitOfWork, register_id: UUID, session_id: UUID) -> CashSession | None:
    query = select(CashSession).where(CashSession.id == session_id, CashSession.register_id == register_id)
    return (await unit.session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


async def lock_open(unit: UnitOfWork, register_id: UUID) -> CashSession | None:
    """The register's open session, which nobody enters anything into until the transaction ends."""
    query = select(CashSession).where(CashSession.register_id == register_id, CashSession.status == SessionStatus.OPEN)
    return (await unit.session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


async def open_id(session: AsyncSession, register_id: UUID) -> UUID | None:
    query = select(CashSession.id).where(
        CashSession.register_id == register_id, CashSession.status == SessionStatus.OPEN
    )
    return (await session.execute(query)).scalar_one_or_none()


async def page(session: AsyncSession, register_id: UUID, chosen: SessionFilter, params: PageParams) -> Slice:
    """Newest first."""
    query = select(CashSession).where(CashSession.register_id == register_id)
    if chosen.status is not None:
        query = query.where(CashSession.status == chosen.status)
    if chosen.day_from is not None:
        query = query.where(CashSession.business_day >= chosen.day_from)
    if chosen.day_to is not None:
        query = query.where(CashSession.business_day <= chosen.day_to)
    if chosen.needs_approval is not None:
        query = query.where(CashSession.needs_approval.is_(chosen.needs_approval))
    return await fetch_page(session, query, params, created_at=CashSession.opened_at, id=CashSession.id)


async def totals(session: AsyncSession, session_id: UUID) -> Sequence[CashTotal]:
    """As many rows as there are kinds, methods and cashiers, not as there are sales."""
    query = (
        select(CashTotal)
        .where(CashTotal.session_id == session_id)
        .order_by(CashTotal.kind, CashTotal.method, CashTotal.created_by, CashTotal.late)
    )
    return (await session.execute(query)).scalars().all()


async def entries(session: AsyncSession, session_id: UUID, params: PageParams) -> Slice:
    """The whole ledger, newest first."""
    query = select(CashEntry).where(CashEntry.session_id == session_id)
    return await fetch_page(session, query, params, created_at=CashEntry.created_at, id=CashEntry.id)


async def movements(
    session: AsyncSession,
    register_id: UUID,
    params: PageParams,
    *,
    kind: MovementType | None,
    session_id: UUID | None,
) -> Slice:
    """Cash in and out by hand, newest first."""
    kinds = (EntryKind.IN, EntryKind.OUT) if kind is None else (EntryKind(kind.value),)
    query = select(CashEntry).where(CashEntry.register_id == register_id, CashEntry.kind.in_(kinds))
    if session_id is not None:
        query = query.where(CashEntry.session_id == session_id)
    return await fetch_page(session, query, params, created_at=CashEntry.created_at, id=CashEntry.id)


async def pending_sales(session: AsyncSession, session_id: UUID) -> int:
    """Sales of the session that wait for their payment, counted up to a thousand."""
    waiting = (
        select(literal_column("1"))
        .select_from(Sale)
        .where(Sale.cash_session_id == session_id, Sale.status == SaleStatus.PENDING_PAYMENT)
        .limit(_PENDING_CAP)
        .subquery()
    )
    return int((await session.execute(select(func.count()).select_from(waiting))).scalar_one())
