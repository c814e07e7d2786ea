"""The queries of payment methods. A deleted one is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payments.methods.models import Method, payment_methods

_COLUMNS: Final = [payment_methods.c[field.name] for field in fields(Method)]
_WIDTH: Final = len(_COLUMNS)
_SELECT: Final = select(*_COLUMNS).where(payment_methods.c.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class MethodFilter:
    """businesses: None for all."""

    businesses: Sequence[UUID] | None
    type: str | None = None
    is_active: bool | None = None


def method_of(row: Row[Any]) -> Method:
    return Method(*row[:_WIDTH])


async def add(session: AsyncSession, method: Method) -> None:
    await session.execute(insert(payment_methods).values(**asdict(method)))


async def find(database: Database, method_id: UUID) -> Method | None:
    return await _first(database, _SELECT.where(payment_methods.c.id == method_id))


async def find_by_key(database: Database, key: str) -> Method | None:
    return await _first(database, _SELECT.where(payment_methods.c.key == key))


async def sole(database: Database, business_id: UUID, kind: str) -> Method | None:
    """The only active one of its type, where there is just one."""
    of_type = _SELECT.where(
        payment_methods.c.business_id == business_id, payment_methods.c.type == kind, payment_methods.c.is_active
    )
    async with database.read() as session:
        rows = (await session.execute(of_type.limit(2))).all()
    return method_of(rows[0]) if len(rows) == 1 else None


async def change(session: AsyncSession, method_id: UUID, values: dict[str, Any], now: datetime) -> Method | None:
    """None where it is not there any more."""
    statement = (
        update(payment_methods)
        .where(payment_methods.c.id == method_id, payment_methods.c.deleted_at.is_(None))
        .values(**values, updated_at=now)
        .returning(*_COLUMNS)
    )
    row = (await session.execute(statement)).first()
    return None if row is None else method_of(row)


async def page(database: Database, wanted: MethodFilter, params: PageParams) -> Slice:
    statement = _SELECT
    if wanted.businesses is not None:
        statement = statement.where(payment_methods.c.business_id.in_(wanted.businesses))
    if wanted.type is not None:
        statement = statement.where(payment_methods.c.type == wanted.type)
    if wanted.is_active is not None:
        statement = statement.where(payment_methods.c.is_active.is_(wanted.is_active))
    async with database.read() as session:
        return await fetch_page(
            session, statement, params, created_at=payment_methods.c.created_at, id=payment_methods.c.id
        )


async def _first(database: Database, statement: Select[Any]) -> Method | None:
    async with database.read() as session:
        row = (await session.execute(statement)).first()
    return None if row is None else method_of(row)
