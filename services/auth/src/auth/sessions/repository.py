"""Queries for sessions and refresh tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
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


async def is_active(session: AsyncSession, session_id: UUID, now: datetime) -> bool:
    statement = select(
        exists()
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .where(User.id == UserSession.user_id, User.deleted_at.is_(None))
    )
    return bool(await session.scalar(statement))


async def end(session: AsyncSession, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> None:
    await session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason.value)
    )


async def end_all(session: AsyncSession, user_id: UUID, reason: EndReason, now: datetime) -> Sequence[UUID]:
    """End every session of the user; returns those that were alive."""
    statement = (
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason.value)
        .returning(UserSession.id)
    )
    return (await session.scalars(statement)).all()


async def unannounced(session: AsyncSession, *, ended_after: datetime, limit: int) -> Sequence[UUID]:
    statement = (
        select(UserSession.id)
        .where(
            UserSession.ended_at.is_not(None), UserSession.announced_at.is_(None), UserSession.ended_at > ended_after
        )
        .order_by(UserSession.ended_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def mark_announced(session: AsyncSession, session_ids: Collection[UUID], now: datetime) -> None:
    await session.execute(
        update(UserSession)
        .where(UserSession.id.in_(session_ids), UserSession.ended_at.is_not(None))
        .values(announced_at=now)
    )


async def forget(session: AsyncSession, *, tokens_before: datetime, sessions_before: datetime) -> None:
    """Delete tokens that expired, and sessions that ended or expired, before these times."""
    await session.execute(delete(RefreshToken).where(RefreshToken.expires_at < tokens_before))
    over = func.coalesce(UserSession.ended_at, UserSession.expires_at) < sessions_before
    await session.execute(delete(UserSession).where(over))
