"""Queries of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.channels.port import Channel
from notifications.delivery.progress import DeliveryStatus
from notifications.messages.models import Notification, NotificationStep
from notifications.messages.status import NotificationStatus
from notifications.messages.templates import Template


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """created_from included, created_to not."""

    channel: Channel | None = None
    status: NotificationStatus | None = None
    template: Template | None = None
    delivery: DeliveryStatus | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


async def add(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Messages that exist already, by event, template, channel and recipient or by code, are left as they are."""
    if rows:
        await session.execute(insert(Notification).values(list(rows)).on_conflict_do_nothing())


async def list_page(
    session: AsyncSession,
    businesses: Sequence[UUID] | None,
    params: PageParams,
    *,
    wanted: NotificationFilter,
) -> Slice:
    """What was sent in the name of `businesses`, or of any where that is None; never what an account was sent."""
    statement: Select[Any] = select(Notification).where(Notification.business_id.is_not(None))
    if businesses is not None:
        statement = statement.where(Notification.business_id.in_(businesses))
    if wanted.created_from is not None:
        statement = statement.where(Notification.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        statement = statement.where(Notification.created_at < wanted.created_to)
    for column, value in (
        (Notification.channel, wanted.channel),
        (Notification.status, wanted.status),
        (Notification.template, wanted.template),
        (Notification.delivery_status, wanted.delivery),
    ):
        if value is not None:
            statement = statement.where(column == value.value)
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


async def bind(session: AsyncSession, notification_id: UUID, worker: UUID, provider: str) -> bool:
    """Note, before it is asked, that another than the first provider is. False when the lease was lost meanwhile."""
    statement = (
        update(Notification)
        .where(Notification.id == notification_id, Notification.worker == worker)
        .values(provider=provider)
        .returning(Notification.id)
    )
    return (await session.execute(statement)).first() is not None


async def add_step(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """False for a provider's report that is recorded already."""
    statement = insert(NotificationStep).values(**values).on_conflict_do_nothing().returning(NotificationStep.id)
    return (await session.execute(statement)).first() is not None


async def steps_of(session: AsyncSession, notification_id: UUID, limit: int) -> Sequence[NotificationStep]:
    """Oldest first."""
    statement = (
        select(NotificationStep)
        .where(NotificationStep.notification_id == notification_id)
        .order_by(NotificationStep.at, NotificationStep.id)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def find(session: AsyncSession, notification_id: UUID) -> Notification | None:
    """A business's, never what an account was sent."""
    statement = select(Notification).where(Notification.id == notification_id, Notification.business_id.is_not(None))
    return (await session.execute(statement)).scalar_one_or_none()


async def find_any(session: AsyncSession, notification_id: UUID) -> Notification | None:
    return await session.get(Notification, notification_id)


async def lock(session: AsyncSession, notification_id: UUID) -> Notification | None:
    statement = select(Notification).where(Notification.id == notification_id).with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def redrive(session: AsyncSession, notification_id: UUID, now: datetime) -> Notification | None:
    """A dead letter is due again. One that may have been sent keeps that mark, its provider and one try. None where it
    is no dead letter."""
    statement = (
        update(Notification)
        .where(Notification.id == notification_id, Notification.status == NotificationStatus.FAILED.value)
        .values(
            status=NotificationStatus.PENDING.value,
            attempts=0,
            unanswered=case((Notification.unanswered > 0, 1), else_=0),
            next_attempt_at=now,
            redriven_at=now,
            failed_at=None,
            failure_reason=None,
            version=Notification.version + 1,
        )
        .returning(Notification)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()
