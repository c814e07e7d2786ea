"""Queries for living businesses."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.businesses.models import Business


def _living() -> Select[Business]:
    return select(Business).where(Business.deleted_at.is_(None))


async def find(session: AsyncSession, business_id: UUID) -> Business | None:
    return await session.scalar(_living().where(Business.id == business_id))


async def lock(session: AsyncSession, business_id: UUID) -> Business | None:
    return await session.scalar(_living().where(Business.id == business_id).with_for_update())


async def hold(session: AsyncSession, business_id: UUID) -> Business | None:
    """The business, which cannot change or be deleted until this transaction ends; others may hold it too."""
    return await session.scalar(_living().where(Business.id == business_id).with_for_update(read=True))


async def page(session: AsyncSession, params: PageParams, *, among: Sequence[UUID] | None) -> Slice:
    """Businesses, only those `among` some unless that is None; newest first."""
    statement = _living()
    if among is not None:
        statement = statement.where(Business.id.in_(among))
    return await fetch_page(session, statement, params, created_at=Business.created_at, id=Business.id)
