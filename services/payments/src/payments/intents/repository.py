"""The queries of payments. Creating one costs one statement before the provider's call and one after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from chassis.bus.outbox import outbox_sql
from chassis.database import Database
from chassis.database.idempotency import CLAIM_SQL, FINISH_SQL, FORGET_SQL, RELEASE_SQL
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import ColumnElement, Row, Select, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payments.intents.models import Payment, TimelineEntry, payment_events, payments
from payments.intents.status import UNSENT, WAITING, Step

Parameters = dict[str, Any]

_COLUMNS: Final = [payments.c[field.name] for field in fields(Payment)]
_WIDTH: Final = len(_COLUMNS)
_SELECT: Final = select(*_COLUMNS)

_OPEN_COLUMNS: Final = (
    "id, business_id, sale_id, amount, currency, country, time_zone, method, provider, status, description, metadata,"
    " customer, customer_phone_index, customer_email_index, expires_at, created_at, updated_at, submitted_at,"
    " next_poll_at"
)
_OPEN_VALUES: Final = ", ".join(f":{name}" for name in _OPEN_COLUMNS.split(", "))
_OPEN: Final = text(f"INSERT INTO payments ({_OPEN_COLUMNS}) VALUES ({_OPEN_VALUES}) RETURNING id")  # noqa: S608
_CLAIM_AND_OPEN: Final = text(
    f"WITH claimed AS ({CLAIM_SQL})"  # noqa: S608 - constants
    f" INSERT INTO payments ({_OPEN_COLUMNS}) SELECT {_OPEN_VALUES} FROM claimed RETURNING id"
)

_GUARD: Final = " WHERE id = :id AND version = :version AND status IN ('SUBMITTING', 'UNKNOWN') RETURNING id"
_NOTED: Final = (
    "INSERT INTO payment_events (payment_id, id, at, kind, cause, from_status, to_status, detail)"
    " SELECT :id, :entry_id, :now, :entry_kind, :entry_cause, :entry_from, :entry_to, :entry_detail FROM moved"
)
_ACCEPTED: Final = text(
    "WITH moved AS (UPDATE payments SET status = 'PENDING', provider_ref = :provider_ref, qr_content = :qr_content,"  # noqa: S608
    " payment_link = :payment_link, transfer = :transfer, next_poll_at = :next_poll_at, poll_attempts = 0,"
    f" updated_at = :now, version = version + 1{_GUARD}),"
    f" noted AS ({_NOTED}), sent AS ({outbox_sql('moved')}),"
    f" finished AS ({FINISH_SQL} AND EXISTS (SELECT FROM moved) RETURNING key)"
    " SELECT count(*) FROM moved"
)
_UNANSWERED: Final = text(
    "WITH moved AS (UPDATE payments SET status = 'UNKNOWN', next_poll_at = :next_poll_at, poll_attempts = 0,"  # noqa: S608
    f" updated_at = :now, version = version + 1{_GUARD}),"
    f" noted AS ({_NOTED}), released AS ({RELEASE_SQL} RETURNING key)"
    " SELECT count(*) FROM moved"
)
_REFUSED: Final = text(
    "WITH moved AS (UPDATE payments SET status = 'FAILED', failure_reason = :failure_reason, failed_at = :now,"  # noqa: S608
    f" next_poll_at = NULL, updated_at = :now, version = version + 1{_GUARD}),"
    f" noted AS ({_NOTED}), forgotten AS ({FORGET_SQL} RETURNING key)"
    " SELECT count(*) FROM moved"
)
_CLAIM_DUE: Final = text(
    "UPDATE payments SET next_poll_at = :lease, poll_attempts = poll_attempts + 1 WHERE id IN ("
    "SELECT id FROM payments WHERE next_poll_at <= :now ORDER BY next_poll_at LIMIT :batch FOR UPDATE SKIP LOCKED"
    ") RETURNING id"
)
_BACKLOG: Final = text(
    "SELECT count(*) FILTER (WHERE status IN ('SUBMITTING', 'UNKNOWN')) AS unresolved,"
    " min(submitted_at) FILTER (WHERE status IN ('SUBMITTING', 'UNKNOWN')) AS oldest,"
    " min(next_poll_at) AS most_overdue,"
    " (SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL) AS disputed"
    " FROM payments WHERE next_poll_at IS NOT NULL"
)


def payment_of(row: Row[Any]) -> Payment:
    """Of a row whose first columns are those of `listing`."""
    return Payment(*row[:_WIDTH])


def opening(payment: Payment) -> Parameters:
    """A new payment as the parameters of its INSERT."""
    values = {name: getattr(payment, name) for name in _OPEN_COLUMNS.split(", ")}
    return values | {"metadata": orjson.dumps(payment.metadata).decode()}


async def claim_and_open(database: Database, parameters: Parameters, *, keyed: bool) -> bool:
    """Claim the idempotency key, where there is one, and write the payment. False: the key was used before.

    Raises IntegrityError when the sale already has a payment.
    """
    async with database.autocommit() as connection:
        return (await connection.execute(_CLAIM_AND_OPEN if keyed else _OPEN, parameters)).first() is not None


async def open_in(session: AsyncSession, parameters: Parameters) -> None:
    await session.execute(_OPEN, parameters)


async def accepted(database: Database, parameters: Parameters) -> bool:
    """The provider has it: the step, its event, the timeline and the stored answer. False: someone was faster."""
    return await _finish(database, _ACCEPTED, parameters)


async def unanswered(database: Database, parameters: Parameters) -> bool:
    """No usable answer came; the next try with the key resumes at once."""
    return await _finish(database, _UNANSWERED, parameters)


async def refused(database: Database, parameters: Parameters) -> bool:
    """The provider has not got it, for certain; the next try with the key begins anew."""
    return await _finish(database, _REFUSED, parameters)


async def _finish(database: Database, statement: Any, parameters: Parameters) -> bool:
    async with database.autocommit() as connection:
        return bool((await connection.execute(statement, parameters)).scalar_one())


async def find(database: Database, payment_id: UUID, *, business_id: UUID | None = None) -> Payment | None:
    statement = _SELECT.where(payments.c.id == payment_id)
    if business_id is not None:
        statement = statement.where(payments.c.business_id == business_id)
    async with database.autocommit() as connection:
        row = (await connection.execute(statement)).first()
    return None if row is None else payment_of(row)


async def find_by_provider_ref(database: Database, provider: str, provider_ref: str) -> Payment | None:
    statement = _SELECT.where(payments.c.provider == provider, payments.c.provider_ref == provider_ref)
    async with database.autocommit() as connection:
        row = (await connection.execute(statement)).first()
    return None if row is None else payment_of(row)


async def lock(session: AsyncSession, payment_id: UUID) -> Payment:
    """First of all locks: a payment's row comes before its refunds'."""
    statement = _SELECT.where(payments.c.id == payment_id).with_for_update()
    return payment_of((await session.execute(statement)).one())


async def save(session: AsyncSession, before: Payment, after: Payment) -> None:
    """Write what differs. Under the lock, so that the version cannot have moved."""
    names = (column.key for column in _COLUMNS)
    changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    if not changed:
        return
    statement = update(payments).where(payments.c.id == before.id, payments.c.version == before.version)
    done = await session.execute(statement.values(**changed))
    assert done.rowcount == 1, "a payment changed under its lock"  # type: ignore[attr-defined]


async def append_timeline(session: AsyncSession, payment_id: UUID, entries: Sequence[TimelineEntry]) -> None:
    if entries:
        rows = [{"payment_id": payment_id, **asdict(entry)} for entry in entries]
        await session.execute(insert(payment_events), rows)


async def request_cancel(session: AsyncSession, payment_id: UUID, now: datetime) -> None:
    """Recorded before the provider is asked, so that it is done even if this process is not there to do it."""
    waiting = [step.value for step in WAITING]
    await session.execute(
        update(payments)
        .where(payments.c.id == payment_id, payments.c.status.in_(waiting), payments.c.cancel_requested_at.is_(None))
        .values(cancel_requested_at=now, next_poll_at=now, updated_at=now)
    )


async def resend(session: AsyncSession, payment: Payment, now: datetime, in_flight: timedelta) -> bool:
    """Take a payment of unknown outcome that the provider is known not to have. False: it has moved since."""
    unsent = [step.value for step in UNSENT]
    done = await session.execute(
        update(payments)
        .where(payments.c.id == payment.id, payments.c.version == payment.version, payments.c.status.in_(unsent))
        .values(
            status=Step.SUBMITTING.value,
            submitted_at=now,
            next_poll_at=now + in_flight,
            poll_attempts=0,
            version=payment.version + 1,
        )
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


async def postpone(database: Database, payment_id: UUID, at: datetime | None) -> None:
    async with database.autocommit() as connection:
        await connection.execute(update(payments).where(payments.c.id == payment_id).values(next_poll_at=at))


async def claim_due(database: Database, now: datetime, lease: timedelta, batch: int) -> Sequence[UUID]:
    """Payments to be read now, taken from other processes for the length of the lease."""
    async with database.autocommit() as connection:
        rows = await connection.execute(_CLAIM_DUE, {"now": now, "lease": now + lease, "batch": batch})
        return [row.id for row in rows]


async def backlog(database: Database) -> Any:
    """unresolved, oldest, most_overdue, disputed."""
    async with database.autocommit() as connection:
        return (await connection.execute(_BACKLOG)).one()


def listing(
    *,
    businesses: Sequence[UUID] | None,
    steps: Sequence[Step] | None = None,
    method: str | None = None,
    provider: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    matching: Sequence[ColumnElement[bool]] = (),
) -> Select[Any]:
    """businesses: None for all. until is exclusive. matching: alternatives, of which one must hold."""
    statement = _SELECT
    if businesses is not None:
        # One business by equality, so that the list's index gives the order too.
        column = payments.c.business_id
        statement = statement.where(column == businesses[0] if len(businesses) == 1 else column.in_(businesses))
    if steps is not None:
        statement = statement.where(payments.c.status.in_([step.value for step in steps]))
    if method is not None:
        statement = statement.where(payments.c.method == method)
    if provider is not None:
        statement = statement.where(payments.c.provider == provider)
    if since is not None:
        statement = statement.where(payments.c.created_at >= since)
    if until is not None:
        statement = statement.where(payments.c.created_at < until)
    if matching:
        statement = statement.where(or_(*matching))
    return statement


async def page(database: Database, statement: Select[Any], params: PageParams) -> Slice:
    async with database.autocommit() as connection:
        return await fetch_page(connection, statement, params, created_at=payments.c.created_at, id=payments.c.id)


async def timeline(database: Database, payment_id: UUID, limit: int) -> list[TimelineEntry]:
    """Oldest first."""
    names = [payment_events.c[field.name] for field in fields(TimelineEntry)]
    statement = (
        select(*names).where(payment_events.c.payment_id == payment_id).order_by(payment_events.c.id).limit(limit)
    )
    async with database.autocommit() as connection:
        return [TimelineEntry(**row._mapping) for row in await connection.execute(statement)]
