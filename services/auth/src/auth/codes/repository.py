"""Queries for one-time codes. A living one is neither used nor replaced; it may have expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.codes.models import OneTimeCode
from auth.codes.rules import PER_HOUR, PER_HOUR_AND_USER, Channel, Purpose

_LIVING = (OneTimeCode.used_at.is_(None), OneTimeCode.replaced_at.is_(None))


def _asked_for(purpose: Purpose, target_index: bytes) -> ColumnElement[bool]:
    return and_(OneTimeCode.purpose == purpose.value, OneTimeCode.target_index == target_index)


async def lock_target(session: AsyncSession, purpose: Purpose, target_index: bytes) -> None:
    """Until the transaction ends, nobody else asks for a code in this way; there may be no row to lock yet."""
    key = func.hashtextextended(f"code:{purpose}:{target_index.hex()}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def earlier(
    session: AsyncSession, purpose: Purpose, target_index: bytes, *, since: datetime
) -> Sequence[datetime]:
    """When codes were asked for, newest first; no more than matter."""
    statement = (
        select(OneTimeCode.created_at)
        .where(_asked_for(purpose, target_index), OneTimeCode.created_at > since)
        .order_by(OneTimeCode.created_at.desc())
        .limit(PER_HOUR)
    )
    return (await session.scalars(statement)).all()


async def oldest_that_counts(session: AsyncSession, user_id: UUID | None, *, since: datetime) -> datetime | None:
    """When the user was sent the first of as many codes as one user is sent in an hour; None when there were fewer."""
    statement = (
        select(OneTimeCode.created_at)
        .where(OneTimeCode.user_id == user_id, OneTimeCode.created_at > since)
        .order_by(OneTimeCode.created_at.desc())
        .offset(PER_HOUR_AND_USER - 1)
        .limit(1)
    )
    return await session.scalar(statement)


async def replace(
    session: AsyncSession,
    purpose: Purpose,
    target_index: bytes,
    *,
    user_id: UUID | None,
    channel: Channel,
    now: datetime,
) -> None:
    """End the codes that would not live beside a new one."""
    of_user = and_(
        OneTimeCode.user_id == user_id, OneTimeCode.purpose == purpose.value, OneTimeCode.channel == channel.value
    )
    await session.execute(
        update(OneTimeCode).where(*_LIVING, or_(_asked_for(purpose, target_index), of_user)).values(replaced_at=now)
    )


async def withdraw(
    session: AsyncSession,
    user_id: UUID,
    now: datetime,
    *,
    purpose: Purpose | None = None,
    channel: Channel | None = None,
) -> None:
    """End the user's codes: all of them, or those for a purpose, or by a channel."""
    statement = update(OneTimeCode).where(*_LIVING, OneTimeCode.user_id == user_id).values(replaced_at=now)
    if purpose is not None:
        statement = statement.where(OneTimeCode.purpose == purpose.value)
    if channel is not None:
        statement = statement.where(OneTimeCode.channel == channel.value)
    await session.execute(statement)


async def lock_living(
    session: AsyncSession, purpose: Purpose, target_index: bytes, now: datetime
) -> OneTimeCode | None:
    """The code that was asked for last, locked: of guesses made at once each sees how many were made before it."""
    statement = (
        select(OneTimeCode)
        .where(*_LIVING, _asked_for(purpose, target_index), OneTimeCode.expires_at > now)
        .with_for_update()
    )
    return await session.scalar(statement)


async def find_living(session: AsyncSession, code_id: UUID, now: datetime) -> OneTimeCode | None:
    return await session.scalar(
        select(OneTimeCode).where(*_LIVING, OneTimeCode.id == code_id, OneTimeCode.expires_at > now)
    )


async def use(session: AsyncSession, code_id: UUID, now: datetime) -> bool:
    """False when another request has used it, or it was replaced or has expired meanwhile."""
    statement = (
        update(OneTimeCode)
        .where(*_LIVING, OneTimeCode.id == code_id, OneTimeCode.expires_at > now)
        .values(used_at=now)
        .returning(OneTimeCode.id)
    )
    return await session.scalar(statement) is not None


async def forget(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < before))
