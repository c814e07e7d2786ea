"""Queries of what waits to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.digests.models import DigestItem


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(DigestItem).values(**values).on_conflict_do_nothing())


async def businesses_due(session: AsyncSession, now: datetime, limit: int) -> Sequence[UUID]:
    """Businesses whose oldest item has waited long enough."""
    statement = select(DigestItem.business_id).where(DigestItem.due_at <= now).distinct().limit(limit)
    return (await session.execute(statement)).scalars().all()


async def take(session: AsyncSession, business_id: UUID, limit: int) -> Sequence[DigestItem]:
    """All that waits of a business, oldest first, deleted if the transaction commits. Somebody else's are left."""
    waiting = (
        select(DigestItem.id)
        .where(DigestItem.business_id == business_id)
        .order_by(DigestItem.created_at, DigestItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = delete(DigestItem).where(DigestItem.id.in_(waiting)).returning(DigestItem)
    found = (await session.execute(statement.execution_options(synchronize_session=False))).scalars().all()
    return sorted(found, key=lambda item: (item.created_at, item.id))


async def branches(session: AsyncSession, business_id: UUID) -> Sequence[UUID]:
    """Those of what waits."""
    statement = select(DigestItem.branch_id).where(DigestItem.business_id == business_id).distinct()
    return (await session.execute(statement)).scalars().all()
