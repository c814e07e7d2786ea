"""Queries over cash registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Membership
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from sales.cash_registers.models import CashRegister
from sales.cash_sessions.models import CashSession
from sales.cash_sessions.status import SessionStatus

_LIVING = CashRegister.deleted_at.is_(None)
_SESSION = CashSession.id == CashRegister.session_id


async def find(session: AsyncSession, register_id: UUID) -> Row[CashRegister, CashSession | None] | None:
    """The living register with its present or last session."""
    query = select(CashRegister, CashSession).outerjoin(CashSession, _SESSION)
    return (await session.execute(query.where(CashRegister.id == register_id, _LIVING))).first()


async def lock(unit: UnitOfWork, register_id: UUID) -> CashRegister | None:
    query = select(CashRegister).where(CashRegister.id == register_id, _LIVING).with_for_update(key_share=True)
    return (await unit.session.execute(query)).scalar_one_or_none()


async def page(
    session: AsyncSession,
    visible: Sequence[Membership] | None,
    params: PageParams,
    *,
    branch_id: UUID | None,
    status: SessionStatus | None,
) -> Slice:
    """Newest first; visible None stands for an administrator's all."""
    query: Select[Any] = select(CashRegister).add_columns(CashSession).outerjoin(CashSession, _SESSION).where(_LIVING)
    if visible is not None:
        query = query.where(_within(visible))
    if branch_id is not None:
        query = query.where(CashRegister.branch_id == branch_id)
    if status is SessionStatus.OPEN:
        query = query.where(CashSession.status == SessionStatus.OPEN)
    if status is SessionStatus.CLOSED:
        query = query.where(or_(CashSession.id.is_(None), CashSession.status == SessionStatus.CLOSED))
    return await fetch_page(session, query, params, created_at=CashRegister.created_at, id=CashRegister.id)


def _within(visible: Sequence[Membership]) -> ColumnElement[bool]:
    whole = [item.business_id for item in visible if item.role is BusinessRole.OWNER]
    parts: list[ColumnElement[bool]] = [CashRegister.business_id.in_(whole)] if whole else []
    parts += [
        and_(CashRegister.business_id == item.business_id, CashRegister.branch_id.in_(item.branch_ids))
        for item in visible
        if item.role is not BusinessRole.OWNER and item.branch_ids
    ]
    return or_(*parts) if parts else false()
