"""The queries of webhook events. Storing one, with its outbox row, is a single statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from chassis.bus.outbox import outbox_sql
from chassis.database import SCOPED, Database, Statement
from chassis.database.plumbing import outbox
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, Select, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from webhooks.inbound.models import WebhookEvent

_COLUMNS: Final = (
    "id, provider, provider_event_id, event_type, provider_ref, our_reference, payload, signature, occurred_at,"
    " account_id"
)
# Under names of their own: the outbox's parameters are named event_… as well.
_VALUES: Final = ", ".join(f":notice_{name}" for name in _COLUMNS.split(", "))
_STORE: Final = Statement(
    f"WITH stored AS (INSERT INTO webhook_events ({_COLUMNS}, published_event_id)"  # noqa: S608 - constants
    f" SELECT {_VALUES}, :event_id WHERE {SCOPED} ON CONFLICT (provider, provider_event_id) DO NOTHING RETURNING id),"
    f" sent AS ({outbox_sql('stored')})"
    " SELECT count(*) FROM stored"
)

# Outbox rows live for a week; what is older left long ago, or stands in the alert on unsent events.
_PROCESSED_AT: Final = case(
    (WebhookEvent.created_at < func.now() - literal_column("interval '7 days'"), WebhookEvent.created_at),
    else_=select(func.max(outbox.c.sent_at))
    .where(outbox.c.event_id == WebhookEvent.published_event_id, outbox.c.only_queue.is_(None))
    .scalar_subquery(),
).label("processed_at")


async def store(database: Database, values: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Keep a notification with its event, in a transaction of one statement. False: it was here before.

    values: of the columns. event: parameters of the outbox.
    """
    row = await database.fetch_row(_STORE, {**event, **{f"notice_{name}": value for name, value in values.items()}})
    return row is not None and bool(row[0])


def _listing() -> Select[Any]:
    return select(WebhookEvent, _PROCESSED_AT)


async def find(database: Database, event_id: UUID) -> Row[Any] | None:
    async with database.read() as session:
        row: Row[Any] | None = (await session.execute(_listing().where(WebhookEvent.id == event_id))).first()
        return row


async def page(
    database: Database, params: PageParams, *, provider: str | None, event_type: str | None, reference: str | None
) -> Slice:
    statement = _listing()
    if provider is not None:
        statement = statement.where(WebhookEvent.provider == provider)
    if event_type is not None:
        statement = statement.where(WebhookEvent.event_type == event_type)
    if reference is not None:
        statement = statement.where(WebhookEvent.our_reference == reference)
    async with database.read() as session:
        return await fetch_page(session, statement, params, created_at=WebhookEvent.created_at, id=WebhookEvent.id)


async def lock(session: AsyncSession, event_id: UUID) -> WebhookEvent | None:
    statement = select(WebhookEvent).where(WebhookEvent.id == event_id).with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()
