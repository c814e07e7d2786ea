"""Queries for what one user belongs to or is invited to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.businesses.models import Business
from auth.members.models import Member
from auth.users.models import User


def _mine(user: User) -> ColumnElement[bool]:
    # An invitation is for whoever holds the phone. That this user does is certain only once they have verified it.
    if user.phone_verified_at is None:
        return Member.user_id == user.id
    return or_(Member.user_id == user.id, and_(Member.user_id.is_(None), Member.phone_index == user.phone_index))


def _living(user: User) -> Select[Any]:
    return (
        select(Member)
        .add_columns(Business.name.label("business_name"))
        .join(Business, Business.id == Member.business_id)
        .where(_mine(user), Member.deleted_at.is_(None), Business.deleted_at.is_(None))
    )


async def lock(session: AsyncSession, user: User, membership_id: UUID) -> tuple[Member, str] | None:
    """The membership or invitation with the name of its business, neither of which can end meanwhile."""
    statement = _living(user).where(Member.id == membership_id)
    found = (await session.execute(statement)).first()
    if found is None:
        return None
    # The business first: in the order in which everyone locks.
    business = select(Business.id).where(Business.id == found.Member.business_id).with_for_update(read=True)
    await session.execute(business)
    statement = statement.with_for_update(of=Member).execution_options(populate_existing=True)
    row = (await session.execute(statement)).first()
    return None if row is None else (row.Member, row.business_name)


async def page(session: AsyncSession, params: PageParams, user: User) -> Slice:
    """Newest first."""
    return await fetch_page(session, _living(user), params, created_at=Member.created_at, id=Member.id)
