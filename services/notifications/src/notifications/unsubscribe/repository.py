"""Queries of what readers have switched off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.unsubscribe.models import Suppression


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(Suppression).values(**values).on_conflict_do_nothing())


async def suppressed(
    session: AsyncSession,
    recipients: Collection[bytes],
    *,
    event_class: str,
    business_id: UUID | None,
    user_id: UUID | None,
) -> frozenset[tuple[str, bytes]]:
    """Those of `recipients` (blind indexes) that want none of it, each with the channel."""
    statement = select(Suppression.channel, Suppression.recipient_index).where(
        Suppression.recipient_index.in_(recipients),
        Suppression.event_class == event_class,
        Suppression.business_id.is_not_distinct_from(business_id),
        Suppression.user_id.is_not_distinct_from(user_id),
    )
    return frozenset((row.channel, row.recipient_index) for row in await session.execute(statement))


async def forget(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(Suppression).where(Suppression.user_id == user_id))
