"""Queries for living users."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.users.models import User


def _living() -> Select[User]:
    return select(User).where(User.deleted_at.is_(None))


async def add(session: AsyncSession, values: dict[str, Any]) -> User | None:
    """The new user, or None where a living one has the phone or the e-mail: the unique indexes decide a race."""
    statement = insert(User).values(values).on_conflict_do_nothing().returning(User)
    return await session.scalar(statement)


async def find(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.scalar(_living().where(User.id == user_id))


async def lock(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.scalar(_living().where(User.id == user_id).with_for_update())


async def hold(session: AsyncSession, user_id: UUID) -> User | None:
    """The user, who cannot be deleted until this transaction ends; others may hold it too."""
    return await session.scalar(_living().where(User.id == user_id).with_for_update(read=True))


async def lock_all(session: AsyncSession, user_ids: Collection[UUID]) -> None:
    """Lock these users, in the one order in which several are ever locked."""
    statement = select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update(key_share=True)
    await session.execute(statement)


async def lock_by_phone(session: AsyncSession, phone_index: bytes) -> User | None:
    return await session.scalar(_living().where(User.phone_index == phone_index).with_for_update())


async def lock_by_email(session: AsyncSession, email_index: bytes) -> User | None:
    return await session.scalar(_living().where(User.email_index == email_index).with_for_update())


async def find_by_phone(session: AsyncSession, phone_index: bytes) -> User | None:
    return await session.scalar(_living().where(User.phone_index == phone_index))
