"""Queries of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.channels.port import Channel
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus


async def add(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Messages that exist already, by event, template, channel and recipient or by code, are left as they are."""
    if rows:
        await session.execute(insert(Notification).values(list(rows)).on_conflict_do_nothing())


async def list_page(
    session: AsyncSession,
    businesses: Sequence[UUID] | None,
    params: PageParams,
    *,
    channel: Channel | None,
    status: NotificationStatus | None,
) -> Slice:
    """What was sent in the name of `businesses`, or of any where that is None; never what an account was sent."""
    statement: Select[Any] = select(Notification).where(Notification.business_id.is_not(None))
    if businesses is not None:
        statement = statement.where(Notification.business_id.in_(businesses))
    if channel is not None:
        statement = statement.where(Notification.channel == channel.value)
    if status is not None:
        statement = statement.where(Notification.status == status.value)
    return await fetch_page(session, statement, params, created_at=Notification.created_at, id=Notification.id)


async def take_due(
    session: AsyncSession, *, lane: str, now: datetime, until: datetime, worker: UUID, limit: int
) -> Sequence[Notification]:
    """Messages due for a try, taken by `worker` until `until`.

    One that still has a worker was being sent when that one died: its try counts as unanswered.
    """
    due = (
        select(Notification.id)
        .where(
            Notification.lane == lane,
            Notification.status == NotificationStatus.PENDING.value,
            Notification.next_attempt_at <= now,
        )
        .order_by(Notification.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    died = case((Notification.worker.is_not(None), 1), else_=0)
    statement = (
        update(Notification)
        .where(Notification.id.in_(due))
        .values(next_attempt_at=until, worker=worker, unanswered=Notification.unanswered + died)
        .returning(Notification)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalars().all()


async def record(
    session: AsyncSession, notification_id: UUID, worker: UUID, values: Mapping[str, Any]
) -> Notification | None:
    """Write down what became of a try and let go of the message. None when the lease was lost meanwhile."""
    changed = {"worker": None, "version": Notification.version + 1, **values}
    statement = (
        update(Notification)
        .where(
            Notification.id == notification_id,
            Notification.worker == worker,
            Notification.status == NotificationStatus.PENDING.value,
        )
        .values(**changed)
        .returning(Notification)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()
