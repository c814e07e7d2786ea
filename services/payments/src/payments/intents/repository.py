"""The queries of payments. Creating one costs one statement before the provider's call and one after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from chassis.bus.outbox import outbox_sql
from chassis.database import SCOPED, Database, Statement
from chassis.database.idempotency import FINISH_SQL, FORGET_SQL, RELEASE_SQL, claim_sql
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payments.accounts.repository import AS_CHOSEN_SQL
from payments.intents.models import Payment, TimelineEntry, payment_events, payments
from payments.intents.status import UNSENT, WAITING, Step

Parameters = dict[str, Any]

_COLUMNS: Final = [payments.c[field.name] for field in fields(Payment)]
_NAMES: Final = [column.key for column in _COLUMNS]
SELECT_SQL: Final = f"SELECT {', '.join(_NAMES)}"
"""The columns `payment_of` reads; more may follow."""

_BY_ID: Final = Statement(f"{SELECT_SQL} FROM payments WHERE id = :id AND {SCOPED}")
_OF_BUSINESS: Final = Statement(
    f"{SELECT_SQL} FROM payments WHERE id = :id AND business_id = :business_id AND {SCOPED}"
)
_BY_PROVIDER_REF: Final = Statement(
    f"{SELECT_SQL} FROM payments WHERE provider = :provider AND provider_ref = :provider_ref AND {SCOPED}"
)
# Built once: SQLAlchemy then knows it by its remembered cache key.
_LOCKED: Final = select(*_COLUMNS).where(payments.c.id == bindparam("payment_id")).with_for_update()

_OPEN_COLUMNS: Final = (
    "id, business_id, sale_id, amount, currency, country, time_zone, method, provider, status, description, metadata,"
    " customer, customer_phone_index, customer_email_index, expires_at, created_at, updated_at, submitted_at,"
    " next_poll_at, payment_method_id, self_service, payer, account_id"
)
_OPEN_VALUES: Final = ", ".join(f":{name}" for name in _OPEN_COLUMNS.split(", "))
_OPEN_IN: Final = text(f"INSERT INTO payments ({_OPEN_COLUMNS}) VALUES ({_OPEN_VALUES})")  # noqa: S608
_OPEN: Final = Statement(
    f"INSERT INTO payments ({_OPEN_COLUMNS}) SELECT {_OPEN_VALUES} WHERE {SCOPED} AND {AS_CHOSEN_SQL} RETURNING id"
)
_CLAIM_AND_OPEN: Final = Statement(
    f"WITH claimed AS ({claim_sql(AS_CHOSEN_SQL)})"  # noqa: S608 - constants
    f" INSERT INTO payments ({_OPEN_COLUMNS}) SELECT {_OPEN_VALUES} FROM claimed RETURNING id"
)

_GUARD: Final = (
    f" WHERE id = :id AND version = :version AND status IN ('SUBMITTING', 'UNKNOWN') AND {SCOPED} RETURNING id"
)
_NOTED: Final = (
    "INSERT INTO payment_events (payment_id, id, at, kind, cause, from_status, to_status, detail)"
    " SELECT :id, :entry_id, :now, :entry_kind, :entry_cause, :entry_from, :entry_to, :entry_detail FROM moved"
)
_ACCEPTED: Final = Statement(
    "WITH moved AS (UPDATE payments SET status = 'PENDING', provider_ref = :provider_ref, qr_content = :qr_content,"  # noqa: S608
    " payment_link = :payment_link, transfer = :transfer, next_poll_at = :next_poll_at, poll_attempts = 0,"
    f" updated_at = :now, version = version + 1{_GUARD}),"
    f" noted AS ({_NOTED}), sent AS ({outbox_sql('moved')}),"
    f" finished AS ({FINISH_SQL} AND EXISTS (SELECT FROM moved) RETURNING key)"
    " SELECT count(*) FROM moved"
)
_UNANSWERED: Final = Statement(
    "WITH moved AS (UPDATE payments SET status = 'UNKNOWN', next_poll_at = :next_poll_at, poll_attempts = 0,"  # noqa: S608
    f" updated_at = :now, version = version + 1{_GUARD}),"
    f" noted AS ({_NOTED}), released AS ({RELEASE_SQL} RETURNING key)"
    " SELECT count(*) FROM moved"
)
_REFUSED: Final = Statement(
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


def payment_of(record: asyncpg.Record) -> Payment:
    """Of a record that begins with the columns of SELECT_SQL."""
    return Payment(*record[: len(_NAMES)])


def opening(payment: Payment) -> Parameters:
    """A new payment as the parameters of its INSERT."""
    values = {name: getattr(payment, name) for name in _OPEN_COLUMNS.split(", ")}
    return values | {"metadata": orjson.dumps(payment.metadata).decode()}


async def claim_and_open(database: Database, parameters: Parameters, *, keyed: bool) -> bool:
    """Claim the idempotency key, where there is one, and write the payment. False, and nothing done: the key was used
    before, or the business's accounts are others than `chosen_among`.

    Raises UniqueViolationError when the sale already has a payment.
    """
    return await database.fetch_row(_CLAIM_AND_OPEN if keyed else _OPEN, parameters) is not None


async def open_in(session: AsyncSession, parameters: Parameters) -> None:
    await session.execute(_OPEN_IN, parameters)


async def accepted(database: Database, parameters: Parameters) -> bool:
    """The provider has it: the step, its event, the timeline and the stored answer. False: someone was faster."""
    return await _finish(database, _ACCEPTED, parameters)


async def unanswered(database: Database, parameters: Parameters) -> bool:
    """No usable answer came; the next try with the key resumes at once."""
    return await _finish(database, _UNANSWERED, parameters)


async def refused(database: Database, parameters: Parameters) -> bool:
    """The provider has not got it, for certain; the next try with the key begins anew."""
    return await _finish(database, _REFUSED, parameters)


async def _finish(database: Database, statement: Statement, parameters: Parameters) -> bool:
    row = await database.fetch_row(statement, parameters)
    return row is not None and bool(row[0])


async def find(database: Database, payment_id: UUID, *, business_id: UUID | None = None) -> Payment | None:
    statement = _BY_ID if business_id is None else _OF_BUSINESS
    return _found(await database.fetch_row(statement, {"id": payment_id, "business_id": business_id}))


async def find_by_provider_ref(database: Database, provider: str, provider_ref: str) -> Payment | None:
    return _found(await database.fetch_row(_BY_PROVIDER_REF, {"provider": provider, "provider_ref": provider_ref}))


def _found(record: asyncpg.Record | None) -> Payment | None:
    return None if record is None else payment_of(record)


async def lock(session: AsyncSession, payment_id: UUID) -> Payment:
    """First of all locks: a payment's row comes before its refunds'."""
    return Payment(*(await session.execute(_LOCKED, {"payment_id": payment_id})).one())


async def save(session: AsyncSession, before: Payment, after: Payment) -> None:
    """Write what differs. Under the lock, so that the version cannot have moved."""
    changed = {name: getattr(after, name) for name in _NAMES if getattr(after, name) != getattr(before, name)}
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
    async with database.transaction() as unit:
        await unit.session.execute(update(payments).where(payments.c.id == payment_id).values(next_poll_at=at))


async def claim_due(database: Database, now: datetime, lease: timedelta, batch: int) -> Sequence[UUID]:
    """Payments to be read now, taken from other processes for the length of the lease."""
    async with database.transaction() as unit:
        rows = await unit.session.execute(_CLAIM_DUE, {"now": now, "lease": now + lease, "batch": batch})
        return [row.id for row in rows]


async def backlog(database: Database) -> Any:
    """unresolved, oldest, most_overdue, disputed."""
    async with database.read() as session:
        return (await session.execute(_BACKLOG)).one()


async def timeline(database: Database, payment_id: UUID, limit: int) -> list[TimelineEntry]:
    """Oldest first."""
    names = [payment_events.c[field.name] for field in fields(TimelineEntry)]
    statement = (
        select(*names).where(payment_events.c.payment_id == payment_id).order_by(payment_events.c.id).limit(limit)
    )
    async with database.read() as session:
        return [TimelineEntry(**row._mapping) for row in await session.execute(statement)]
