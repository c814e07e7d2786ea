"""Queries for administering users."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.auth import Role
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.businesses.models import Business
from auth.users.models import User


async def page(
    session: AsyncSession,
    params: PageParams,
    *,
    found_by: Sequence[bytes] | None,
    role: Role | None,
    kyc_level: int | None,
) -> Slice:
    """Living users, newest first. found_by: blind indexes, of which the phone's or the e-mail's must be one."""
    statement = select(User).where(User.deleted_at.is_(None))
    if found_by is not None:
        statement = statement.where(or_(User.phone_index.in_(found_by), User.email_index.in_(found_by)))
    if role is not None:
        statement = statement.where(User.role == role.value)
    if kyc_level is not None:
        statement = statement.where(User.kyc_level == kyc_level)
    return await fetch_page(session, statement, params, created_at=User.created_at, id=User.id)


async def lock_admins(session: AsyncSession) -> Sequence[UUID]:
    """Every administrator, locked: of two who would remove the last two of them, one waits for the other."""
    statement = select(User.id).where(User.role == Role.ADMIN.value, User.deleted_at.is_(None)).order_by(User.id)
    return (await session.scalars(statement.with_for_update(key_share=True))).all()


async def owns_businesses(session: AsyncSession, user_id: UUID) -> bool:
    statement = select(exists().where(Business.owner_id == user_id, Business.deleted_at.is_(None)))
    return bool(await session.scalar(statement))
