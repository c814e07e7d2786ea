"""Queries for living branches of living businesses. A branch is never found without naming its business."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.branches.models import Branch
from auth.businesses.models import Business


def _living(business_id: UUID) -> Select[Branch]:
    return (
        select(Branch)
        .join(Business, Business.id == Branch.business_id)
        .where(Branch.business_id == business_id, Branch.deleted_at.is_(None), Business.deleted_at.is_(None))
    )


async def find(session: AsyncSession, business_id: UUID, branch_id: UUID) -> Branch | None:
    return await session.scalar(_living(business_id).where(Branch.id == branch_id))


async def first(session: AsyncSession, business_id: UUID) -> Branch | None:
    """The oldest branch, the one that stands for the business where none is named."""
    return await session.scalar(_living(business_id).order_by(Branch.created_at, Branch.id).limit(1))


async def lock(session: AsyncSession, business_id: UUID, branch_id: UUID) -> Branch | None:
    return await session.scalar(_living(business_id).where(Branch.id == branch_id).with_for_update(of=Branch))


async def hold_all(session: AsyncSession, business_id: UUID, branch_ids: Collection[UUID]) -> Sequence[UUID]:
    """Which of these are branches of the business; they stay open until this transaction ends."""
    statement = _living(business_id).where(Branch.id.in_(branch_ids)).order_by(Branch.id)
    found = await session.scalars(statement.with_for_update(read=True, of=Branch))
    return [branch.id for branch in found]


async def lock_all(session: AsyncSession, business_id: UUID) -> Sequence[Branch]:
    statement = _living(business_id).order_by(Branch.id).with_for_update(of=Branch)
    return (await session.scalars(statement)).all()


async def page(
    session: AsyncSession, params: PageParams, business_id: UUID, *, among: Collection[UUID] | None
) -> Slice:
    """Branches of the business, only those `among` some unless that is None; newest first."""
    statement = _living(business_id)
    if among is not None:
        statement = statement.where(Branch.id.in_(among))
    return await fetch_page(session, statement, params, created_at=Branch.created_at, id=Branch.id)
