"""The queries of refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payments.refunds.models import Refund, refunds
from payments.refunds.status import UNSENT

_COLUMNS: Final = [refunds.c[field.name] for field in fields(Refund)]
_WIDTH: Final = len(_COLUMNS)
_SELECT: Final = select(*_COLUMNS)
_CLAIM_DUE: Final = text(
    "UPDATE refunds SET next_poll_at = :lease, poll_attempts = poll_attempts + 1 WHERE id IN ("
    "SELECT id FROM refunds WHERE next_poll_at <= :now ORDER BY next_poll_at LIMIT :batch FOR UPDATE SKIP LOCKED"
    ") RETURNING id"
)
_BACKLOG: Final = text(
    "SELECT count(*) FILTER (WHERE status IN ('SUBMITTING', 'UNKNOWN')) AS unresolved,"
    " min(created_at) FILTER (WHERE status IN ('SUBMITTING', 'UNKNOWN')) AS oldest,"
    " min(next_poll_at) AS most_overdue FROM refunds WHERE next_poll_at IS NOT NULL"
)


def refund_of(row: Row[Any]) -> Refund:
    return Refund(*row[:_WIDTH])


async def add(session: AsyncSession, refund: Refund) -> None:
    await session.execute(insert(refunds).values(**asdict(refund)))


async def of_payment(session: AsyncSession, payment_id: UUID) -> list[Refund]:
    """Oldest first. Under the payment's lock, when something follows from it."""
    rows = await session.execute(_SELECT.where(refunds.c.payment_id == payment_id).order_by(refunds.c.id))
    return [refund_of(row) for row in rows]


async def lock(session: AsyncSession, refund_id: UUID) -> Refund:
    """After the payment's row."""
    return refund_of((await session.execute(_SELECT.where(refunds.c.id == refund_id).with_for_update())).one())


async def change(session: AsyncSession, refund_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(update(refunds).where(refunds.c.id == refund_id).values(**values))


async def find(database: Database, refund_id: UUID, *, payment_id: UUID | None = None) -> Refund | None:
    statement = _SELECT.where(refunds.c.id == refund_id)
    if payment_id is not None:
        statement = statement.where(refunds.c.payment_id == payment_id)
    async with database.read() as session:
        row = (await session.execute(statement)).first()
    return None if row is None else refund_of(row)


async def known_refs(database: Database, payment_id: UUID) -> frozenset[str]:
    statement = select(refunds.c.provider_refund_ref).where(
        refunds.c.payment_id == payment_id, refunds.c.provider_refund_ref.is_not(None)
    )
    async with database.read() as session:
        return frozenset((await session.execute(statement)).scalars())


async def page(database: Database, payment_id: UUID, params: PageParams) -> Slice:
    statement = _SELECT.where(refunds.c.payment_id == payment_id)
    async with database.read() as session:
        return await fetch_page(session, statement, params, created_at=refunds.c.created_at, id=refunds.c.id)


async def mark_unanswered(session: AsyncSession, refund_id: UUID, at: datetime, now: datetime) -> None:
    await session.execute(
        update(refunds)
        .where(refunds.c.id == refund_id, refunds.c.status.in_([step.value for step in UNSENT]))
        .values(status="UNKNOWN", next_poll_at=at, poll_attempts=0, updated_at=now)
    )


async def postpone(database: Database, refund_id: UUID, at: datetime) -> None:
    async with database.transaction() as unit:
        await unit.session.execute(update(refunds).where(refunds.c.id == refund_id).values(next_poll_at=at))


async def claim_due(database: Database, now: datetime, lease: timedelta, batch: int) -> Sequence[UUID]:
    async with database.transaction() as unit:
        rows = await unit.session.execute(_CLAIM_DUE, {"now": now, "lease": now + lease, "batch": batch})
        return [row.id for row in rows]


async def backlog(database: Database) -> Any:
    """unresolved, oldest, most_overdue."""
    async with database.read() as session:
        return (await session.execute(_BACKLOG)).one()
