"""The queries of payment accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from chassis.database import SCOPED, Database, Statement
from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payments.accounts.models import Account, payment_accounts
from payments.intents.models import payments
from payments.intents.status import Step

_COLUMNS: Final = [payment_accounts.c[field.name] for field in fields(Account)]
_SELECT_SQL: Final = f"SELECT {', '.join(column.key for column in _COLUMNS)} FROM payment_accounts"  # noqa: S608 - constants
_PRESENT: Final = Statement(f"{_SELECT_SQL} WHERE business_id = :business_id AND replaced_at IS NULL AND {SCOPED}")
_BY_ID: Final = Statement(f"{_SELECT_SQL} WHERE id = :id AND {SCOPED}")
_BY_KEY: Final = Statement(f"{_SELECT_SQL} WHERE key = :key AND provider = :provider AND {SCOPED}")
AS_CHOSEN_SQL: Final = (
    "(SELECT coalesce(string_agg(id::text || ':' || version, ',' ORDER BY id), '') FROM payment_accounts"  # noqa: S608
    f" WHERE business_id = :business_id AND replaced_at IS NULL AND {SCOPED}) = :chosen_among"
)
"""Whether the present accounts of :business_id are those of `as_chosen`: for the statement that writes a payment."""
# Nothing at the provider moves one of these any more, unless it is still being read.
_OVER: Final = (Step.FAILED.value, Step.REFUNDED.value)


async def present(database: Database, business_id: UUID) -> list[Account]:
    """Those that a new payment may be made with, of any provider."""
    return [Account(*record) for record in await database.fetch(_PRESENT, {"business_id": business_id})]


def as_chosen(present: Sequence[Account]) -> str:
    """The parameter of AS_CHOSEN_SQL, `chosen_among`."""
    return ",".join(f"{account.id}:{account.version}" for account in sorted(present, key=lambda each: each.id))


async def find(database: Database, account_id: UUID) -> Account | None:
    return _found(await database.fetch_row(_BY_ID, {"id": account_id}))


async def find_by_key(database: Database, provider: str, key: str) -> Account | None:
    """Replaced ones too: their payments still have news."""
    return _found(await database.fetch_row(_BY_KEY, {"key": key, "provider": provider}))


def _found(record: asyncpg.Record | None) -> Account | None:
    return None if record is None else Account(*record)


async def lock_present(session: AsyncSession, business_id: UUID, provider: str) -> Account | None:
    statement = select(*_COLUMNS).where(
        payment_accounts.c.business_id == business_id,
        payment_accounts.c.provider == provider,
        payment_accounts.c.replaced_at.is_(None),
    )
    row = (await session.execute(statement.with_for_update())).first()
    return None if row is None else Account(*row)


async def add(session: AsyncSession, account: Account) -> None:
    await session.execute(insert(payment_accounts).values(**asdict(account)))


async def change(session: AsyncSession, account_id: UUID, **columns: Any) -> None:
    await session.execute(update(payment_accounts).where(payment_accounts.c.id == account_id).values(**columns))


async def verified(session: AsyncSession, account: Account, verification: str, now: datetime) -> None:
    """Unless its keys have been changed since they were asked about."""
    await session.execute(
        update(payment_accounts)
        .where(payment_accounts.c.id == account.id, payment_accounts.c.version == account.version)
        .values(verification=verification, checked_at=now)
    )


async def unverified(database: Database, limit: int) -> Sequence[Account]:
    """Present ones nobody could ask about so far, the longest ago first."""
    statement = (
        select(*_COLUMNS)
        .where(payment_accounts.c.verification == "UNVERIFIED", payment_accounts.c.replaced_at.is_(None))
        .order_by(payment_accounts.c.checked_at)
        .limit(limit)
    )
    async with database.read() as session:
        return [Account(*row) for row in await session.execute(statement)]


async def drop_unneeded(session: AsyncSession, before: datetime) -> int:
    """Accounts that were replaced before then, and with which no payment was made that may still move."""
    still_moving = exists().where(
        payments.c.account_id == payment_accounts.c.id,
        or_(payments.c.status.not_in(_OVER), payments.c.next_poll_at.is_not(None)),
    )
    done = await session.execute(delete(payment_accounts).where(payment_accounts.c.replaced_at < before, ~still_moving))
    return int(done.rowcount)  # type: ignore[attr-defined]


async def forget_earlier(session: AsyncSession, now: datetime) -> None:
    """Keys that were changed so long ago that no webhook is signed with them."""
    await session.execute(
        update(payment_accounts).where(payment_accounts.c.earlier_until < now).values(earlier=None, earlier_until=None)
    )
