"""Queries for sessions and refresh tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.sessions.models import RefreshToken, UserSession
from auth.sessions.status import EndReason
from auth.users.models import User


async def lock_token(session: AsyncSession, digest: bytes) -> tuple[RefreshToken, UserSession] | None:
    """The token and its session, both locked: of many requests with one token each sees what the one before it did."""
    statement = (
        select(RefreshToken, UserSession)
        .join(UserSession, UserSession.id == RefreshToken.session_id)
        .where(RefreshToken.digest == digest)
        .with_for_update()
    )
    row = (await session.execute(statement)).first()
    return None if row is None else (row[0], row[1])


async def find_alive(session: AsyncSession, session_id: UUID, now: datetime) -> UserSession | None:
    return await session.scalar(
        select(UserSession)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .where(User.deleted_at.is_(None))
    )


async def page(
    session: AsyncSession, params: PageParams, user_id: UUID, *, now: datetime, used_after: datetime
) -> Slice:
    """The user's sessions that can still be used, newest first."""
    statement = select(UserSession).where(
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
        UserSession.used_at > used_after,
    )
    return await fetch_page(session, statement, params, created_at=UserSession.created_at, id=UserSession.id)


async def end(session: AsyncSession, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
    """False when the user has no such session, or it has ended before."""
    statement = (
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(_ending(reason, now))
        .returning(UserSession.id)
    )
    return await session.scalar(statement) is not None


async def end_all(
    session: AsyncSession, user_id: UUID, reason: EndReason, now: datetime, *, but: UUID | None
) -> Sequence[UUID]:
    """End every session of the user, but for one; returns those that were alive."""
    statement = (
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.id.is_distinct_from(but))
        .values(_ending(reason, now))
        .returning(UserSession.id)
    )
    return (await session.scalars(statement)).all()


async def outdate(session: AsyncSession, user_ids: Collection[UUID], now: datetime) -> None:
    """Bound every living session of these users at `now`, and never before a token that it has already issued."""
    bound = func.greatest(now, UserSession.used_at, UserSession.valid_from, type_=UserSession.valid_from.type)
    await session.execute(
        update(UserSession)
        .where(UserSession.user_id.in_(user_ids), UserSession.ended_at.is_(None))
        .values(valid_from=bound, announced_at=None)
    )


async def unannounced(
    session: AsyncSession, *, since: datetime, user_ids: Collection[UUID] | None, limit: int
) -> Sequence[Row[UUID, datetime | None, datetime | None]]:
    """Sessions (id, ended_at, valid_from) that ended or were bound after `since` without Redis having been told."""
    news = func.greatest(UserSession.ended_at, UserSession.valid_from)
    statement = (
        select(UserSession.id, UserSession.ended_at, UserSession.valid_from)
        .where(UserSession.announced_at.is_(None), news > since)
        # Says nothing new, but without it the partial index is not seen to fit.
        .where(or_(UserSession.ended_at.is_not(None), UserSession.valid_from.is_not(None)))
        .order_by(news)
        .limit(limit)
    )
    if user_ids is not None:
        statement = statement.where(UserSession.user_id.in_(user_ids))
    return (await session.execute(statement)).all()


async def mark_announced(session: AsyncSession, session_ids: Collection[UUID], now: datetime) -> None:
    await session.execute(
        update(UserSession)
        .where(UserSession.id.in_(session_ids), UserSession.ended_at.is_not(None))
        .values(announced_at=now)
    )


async def mark_bounds_announced(session: AsyncSession, bounds: Mapping[UUID, datetime], now: datetime) -> None:
    """Redis knows these bounds. A session that has been bound anew or has ended meanwhile still has news."""
    told = tuple_(UserSession.id, UserSession.valid_from).in_(list(bounds.items()))
    await session.execute(update(UserSession).where(told, UserSession.ended_at.is_(None)).values(announced_at=now))


async def forget(session: AsyncSession, *, tokens_before: datetime, sessions_before: datetime) -> None:
    """Delete tokens that expired, and sessions that ended or expired, before these times."""
    await session.execute(delete(RefreshToken).where(RefreshToken.expires_at < tokens_before))
    over = func.coalesce(UserSession.ended_at, UserSession.expires_at) < sessions_before
    await session.execute(delete(UserSession).where(over))


def _ending(reason: EndReason, now: datetime) -> dict[str, Any]:
    # Redis may have been told of a bound, and has not been told of this.
    return {"ended_at": now, "end_reason": reason.value, "announced_at": None}
