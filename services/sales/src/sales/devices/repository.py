"""Queries over tills. Their numbers move in one statement each, so that batches of one till may cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from chassis.auth import BusinessRole, Membership
from chassis.database import UnitOfWork
from chassis.http.pagination import PageParams, Slice, fetch_page
from kernel import new_id
from sqlalchemy import Row, and_, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from sales.devices.models import Device

# Numbers between the highest known one and a new one are missing; a number that comes in is not missing any more.
_RECEIVED: Final = text(
    """
INSERT INTO devices AS device (id, business_id, branch_id, name, cash_session_id, highest, missing, sales, repeated,
                               created_at, updated_at)
VALUES (:id, :business, :branch, :name, :session, :number, int8multirange(int8range(1, :number)), 1, 0, :now, :now)
ON CONFLICT (business_id, name) DO UPDATE SET
    branch_id = excluded.branch_id,
    cash_session_id = coalesce(excluded.cash_session_id, device.cash_session_id),
    highest = greatest(device.highest, :number),
    missing = CASE WHEN :number > device.highest
        THEN device.missing + int8multirange(int8range(device.highest + 1, :number))
        ELSE device.missing - int8multirange(int8range(:number, :number, '[]')) END,
    sales = device.sales + 1,
    repeated = device.repeated
        + CASE WHEN :number <= device.highest AND NOT device.missing @> CAST(:number AS bigint) THEN 1 ELSE 0 END,
    updated_at = :now
"""
)
_GIVEN_OUT: Final = text(
    """
INSERT INTO devices AS device (id, business_id, branch_id, name, highest, missing, sales, repeated, created_at,
                               updated_at)
VALUES (:id, :business, :branch, :name, :number, int8multirange(int8range(1, :number, '[]')), 0, 0, :now, :now)
ON CONFLICT (business_id, name) DO UPDATE SET
    highest = :number,
    missing = device.missing + int8multirange(int8range(device.highest + 1, :number, '[]')),
    updated_at = :now
WHERE device.highest < :number
"""
)


async def received(
    unit: UnitOfWork, *, business_id: UUID, branch_id: UUID, name: str, number: int, cash_session_id: UUID | None
) -> None:
    """The sale of this number is in the books."""
    parameters = _parameters(unit, business_id, branch_id, name, number)
    await unit.session.execute(_RECEIVED, {**parameters, "session": cash_session_id})


async def given_out(unit: UnitOfWork, *, business_id: UUID, branch_id: UUID, name: str, number: int) -> None:
    """The till says that it has numbered its sales up to here."""
    await unit.session.execute(_GIVEN_OUT, _parameters(unit, business_id, branch_id, name, number))


async def with_gaps(session: AsyncSession, cash_session_id: UUID, limit: int) -> Sequence[Row[str, int]]:
    """Names of the tills whose last sale belongs to this drawer and of whose sales some are missing, and how many."""
    gaps = func.unnest(Device.missing).table_valued("gap", name="gaps").render_derived()
    missing = select(func.sum(func.upper(gaps.c.gap) - func.lower(gaps.c.gap))).select_from(gaps)
    query = (
        select(Device.name, missing.scalar_subquery().label("missing"))
        .where(Device.cash_session_id == cash_session_id, ~func.isempty(Device.missing))
        .order_by(Device.name)
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def page(
    session: AsyncSession, visible: Sequence[Membership] | None, params: PageParams, branch_id: UUID | None
) -> Slice:
    """Newest first. visible None stands for an administrator's all."""
    query = select(Device)
    if visible is not None:
        query = query.where(_within(visible))
    if branch_id is not None:
        query = query.where(Device.branch_id == branch_id)
    return await fetch_page(session, query, params, created_at=Device.created_at, id=Device.id)


def _within(visible: Sequence[Membership]) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [
        Device.business_id == item.business_id
        if item.role is BusinessRole.OWNER
        else and_(Device.business_id == item.business_id, Device.branch_id.in_(item.branch_ids))
        for item in visible
    ]
    return or_(*parts) if parts else false()


def _parameters(unit: UnitOfWork, business_id: UUID, branch_id: UUID, name: str, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "business": business_id,
        "branch": branch_id,
        "name": name,
        "number": number,
        "now": unit.clock.now(),
    }
