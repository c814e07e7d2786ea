"""Queries over deliveries, as merchants see and repeat them. Taking them up is claiming's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.bus.received import Received
from chassis.database import SCOPED, UNSYNCED, Database, Statement
from chassis.database.unit import INBOX_SQL, inbox_parameters
from chassis.http.pagination import PageParams, Slice, fetch_page
from contracts.events import DomainEvent
from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from webhooks.deliveries.models import WebhookAttempt, WebhookDelivery
from webhooks.deliveries.status import DeliveryStatus

# A note that is lost brings the event again, by way of the delivery audit, to the same end.
_NOTE_UNWANTED: Final = Statement(
    "WITH wanted AS MATERIALIZED (SELECT EXISTS (SELECT FROM webhook_endpoints WHERE business_id = :business_id"  # noqa: S608
    f" AND deleted_at IS NULL AND :event_type = ANY(events) AND {SCOPED}) AS by_some),"
    f" noted AS ({INBOX_SQL.format(condition=f'NOT (SELECT by_some FROM wanted) AND {UNSYNCED}')})"  # noqa: S608
    " SELECT by_some FROM wanted"
)


async def note_unwanted(database: Database, received: Received[DomainEvent], business_id: UUID, now: datetime) -> bool:
    """Take note of an event that no endpoint of the business has chosen, in a transaction of one statement. False:
    some have, and nothing was done. Nearly all events are nobody's."""
    parameters = {"business_id": business_id, "event_type": received.event.type, **inbox_parameters(received, now)}
    row = await database.fetch_row(_NOTE_UNWANTED, parameters)
    received.accepted = row is not None and not row["by_some"]
    return received.accepted


async def add(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """A delivery that exists already, by event and endpoint, is left as it is."""
    if rows:
        await session.execute(insert(WebhookDelivery).values(list(rows)).on_conflict_do_nothing())


async def page(
    session: AsyncSession,
    endpoint_id: UUID,
    paging: PageParams,
    *,
    status: DeliveryStatus | None,
    event_type: str | None,
) -> Slice:
    """Deliveries to one endpoint, newest first."""
    statement: Select[Any] = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if status is not None:
        statement = statement.where(WebhookDelivery.status == status.value)
    if event_type is not None:
        statement = statement.where(WebhookDelivery.event_type == event_type)
    return await fetch_page(session, statement, paging, created_at=WebhookDelivery.created_at, id=WebhookDelivery.id)


def _one(endpoint_id: UUID, delivery_id: UUID) -> Select[WebhookDelivery]:
    return select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint_id)


async def find(session: AsyncSession, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery | None:
    return (await session.execute(_one(endpoint_id, delivery_id))).scalar_one_or_none()


async def lock(session: AsyncSession, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery | None:
    statement = _one(endpoint_id, delivery_id).with_for_update(key_share=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def attempts(session: AsyncSession, delivery_id: UUID) -> Sequence[WebhookAttempt]:
    statement = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.number)
    return (await session.execute(statement)).scalars().all()


async def skip_waiting(session: AsyncSession, endpoint_ids: Sequence[UUID], now: datetime) -> None:
    """What waits for a try at these endpoints waits no more; what is in hand is left to whoever has it."""
    statement = (
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id.in_(endpoint_ids),
            WebhookDelivery.status == DeliveryStatus.PENDING.value,
            (WebhookDelivery.worker.is_(None)) | (WebhookDelivery.next_attempt_at <= now),
        )
        .values(status=DeliveryStatus.SKIPPED.value, worker=None, next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def recover(session: AsyncSession, endpoint_id: UUID, since: datetime, now: datetime, limit: int) -> int:
    """Let the oldest that never arrived begin anew; returns how many."""
    lost: ColumnElement[bool] = WebhookDelivery.status.in_((DeliveryStatus.FAILED.value, DeliveryStatus.SKIPPED.value))
    chosen = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.created_at >= since, lost)
        .order_by(WebhookDelivery.created_at, WebhookDelivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(WebhookDelivery)
        .where(WebhookDelivery.id.in_(chosen))
        .values(status=DeliveryStatus.PENDING.value, step=0, next_attempt_at=now)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


async def delete_old(session: AsyncSession, before: datetime, limit: int) -> int:
    """Deliveries from before, with their tries; returns how many went."""
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.created_at < before, WebhookDelivery.status != DeliveryStatus.PENDING.value)
        .limit(limit)
        .scalar_subquery()
    )
    statement = delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)).returning(WebhookDelivery.id)
    return len((await session.execute(statement.execution_options(synchronize_session=False))).all())
