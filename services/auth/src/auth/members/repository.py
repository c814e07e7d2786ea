"""Queries for living members of living businesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.auth import BusinessRole, Membership
from chassis.database import Database
from chassis.http.pagination import PageParams, Slice, fetch_page
from chassis.tenancy import everyone
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.businesses.models import Business
from auth.members.models import Member
from auth.members.status import MemberStatus
from auth.users.models import User


def _living() -> Select[Member]:
    return (
        select(Member)
        .join(Business, Business.id == Member.business_id)
        .where(Member.deleted_at.is_(None), Business.deleted_at.is_(None))
    )


def _of_user(user_id: UUID) -> Select[Member]:
    return (
        _living()
        .join(User, User.id == Member.user_id)
        .where(Member.user_id == user_id, User.deleted_at.is_(None))
        .order_by(Member.created_at.desc(), Member.id.desc())
    )


async def add(session: AsyncSession, values: dict[str, Any]) -> Member | None:
    """The new member, or None where the business has one with this phone: the unique index decides a race."""
    return await session.scalar(insert(Member).values(values).on_conflict_do_nothing().returning(Member))


async def find(session: AsyncSession, user_id: UUID, business_id: UUID) -> Membership | None:
    row = await session.scalar(_of_user(user_id).where(Member.business_id == business_id))
    return None if row is None else _membership(row)


async def of_user(session: AsyncSession, user_id: UUID, *, limit: int | None = None) -> list[Membership]:
    """The newest `limit` memberships, or all."""
    return [_membership(row) for row in await session.scalars(_of_user(user_id).limit(limit))]


async def lock_of_user(session: AsyncSession, user_id: UUID) -> Sequence[Member]:
    """Every membership of the user, locked."""
    statement = _living().where(Member.user_id == user_id).order_by(Member.id).with_for_update(of=Member)
    return (await session.scalars(statement)).all()


async def find_member(session: AsyncSession, business_id: UUID, member_id: UUID) -> Member | None:
    return await session.scalar(_living().where(Member.business_id == business_id, Member.id == member_id))


async def lock(session: AsyncSession, business_id: UUID, member_id: UUID) -> Member | None:
    statement = _living().where(Member.business_id == business_id, Member.id == member_id)
    return await session.scalar(statement.with_for_update(of=Member))


async def lock_assigned(session: AsyncSession, business_id: UUID, branch_id: UUID) -> Sequence[Member]:
    """Members and invited people who are assigned to a branch."""
    statement = _living().where(Member.business_id == business_id, Member.branch_ids.contains([branch_id]))
    return (await session.scalars(statement.order_by(Member.id).with_for_update(of=Member))).all()


async def user_ids(session: AsyncSession, business_id: UUID) -> Sequence[UUID]:
    """Who is a member of the business."""
    statement = select(Member.user_id).where(
        Member.business_id == business_id, Member.user_id.is_not(None), Member.deleted_at.is_(None)
    )
    return [user_id for user_id in await session.scalars(statement) if user_id is not None]


async def page(
    session: AsyncSession,
    params: PageParams,
    business_id: UUID,
    *,
    status: MemberStatus | None,
    branch_id: UUID | None,
) -> Slice:
    """Members of the business, newest first."""
    statement = _living().where(Member.business_id == business_id)
    if status is not None:
        invited = status is MemberStatus.INVITED
        statement = statement.where(Member.user_id.is_(None) if invited else Member.user_id.is_not(None))
    if branch_id is not None:
        statement = statement.where(Member.branch_ids.contains([branch_id]))
    return await fetch_page(session, statement, params, created_at=Member.created_at, id=Member.id)


def _membership(row: Member) -> Membership:
    return Membership(row.business_id, BusinessRole(row.role), frozenset(row.branch_ids))


class StoredMemberships:
    """The chassis' MembershipSource, straight from the tables: other services ask this one over gRPC for the same.

    It is what scopes are made of, so it has none itself: it answers about the one user it is asked about.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def membership(self, user_id: UUID, business_id: UUID) -> Membership | None:
        with everyone():
            async with self._database.read() as session:
                return await find(session, user_id, business_id)

    async def memberships(self, user_id: UUID) -> Sequence[Membership]:
        with everyone():
            async with self._database.read() as session:
                return await of_user(session, user_id)
