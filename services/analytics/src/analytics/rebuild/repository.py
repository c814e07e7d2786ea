"""Which businesses wait for their facts to be made again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.rebuild.models import Rebuild


async def under_rebuild(session: AsyncSession, businesses: Iterable[UUID]) -> set[UUID]:
    statement = select(Rebuild.business_id).where(Rebuild.business_id.in_(list(businesses)))
    return set((await session.execute(statement)).scalars())


async def request(session: AsyncSession, business_id: UUID, now: datetime, known_seq: int) -> None:
    """Asked for twice is asked for once."""
    values = {"business_id": business_id, "requested_at": now, "known_seq": known_seq}
    await session.execute(insert(Rebuild).values(values).on_conflict_do_nothing())


async def known_seq(session: AsyncSession, business_id: UUID) -> int | None:
    """None of a business that waits for nothing."""
    return (
        await session.execute(select(Rebuild.known_seq).where(Rebuild.business_id == business_id))
    ).scalar_one_or_none()


async def waiting(session: AsyncSession) -> Sequence[UUID]:
    """Oldest first."""
    return (await session.execute(select(Rebuild.business_id).order_by(Rebuild.requested_at))).scalars().all()


async def done(session: AsyncSession, business_id: UUID) -> None:
    await session.execute(delete(Rebuild).where(Rebuild.business_id == business_id))
