"""Queries for memberships of living users in living businesses."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import BusinessRole, Membership
from chassis.database import Database
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.businesses.models import Business
from auth.members.models import Member
from auth.users.models import User


def _living(user_id: UUID) -> Select[Member]:
    return (
        select(Member)
        .join(Business, Business.id == Member.business_id)
        .join(User, User.id == Member.user_id)
        .where(
            Member.user_id == user_id,
            Member.deleted_at.is_(None),
            Business.deleted_at.is_(None),
            User.deleted_at.is_(None),
        )
    )


async def find(session: AsyncSession, user_id: UUID, business_id: UUID) -> Membership | None:
    row = await session.scalar(_living(user_id).where(Member.business_id == business_id))
    return None if row is None else _membership(row)


async def of_user(session: AsyncSession, user_id: UUID, *, limit: int) -> list[Membership]:
    """The newest `limit` memberships."""
    statement = _living(user_id).order_by(Member.created_at.desc(), Member.id.desc()).limit(limit)
    return [_membership(row) for row in await session.scalars(statement)]


def _membership(row: Member) -> Membership:
    return Membership(row.business_id, BusinessRole(row.role), frozenset(row.branch_ids))


class StoredMemberships:
    """The chassis' MembershipSource, straight from the tables: other services ask this one over gRPC for the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None:
        async with self._database.read() as session:
            return await find(session, user_id, business_id)
