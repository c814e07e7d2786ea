"""How an event becomes part of a row: whatever the order of arrival, the row ends up the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.bus.received import Received
from chassis.database import SCOPED, Database, Statement
from chassis.database.unit import INBOX_SQL, inbox_parameters
from contracts.events import DomainEvent
from sqlalchemy import ColumnElement, Table, case, exists, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.base import Base
from analytics.facts.models import InvoiceFact, PaymentFact, RefundFact, SaleFact, SaleLineFact, StockFact

# What is filled once, by the event that knows; the other columns of these facts are snapshots.
_MILESTONES: Final[Mapping[type[Base], frozenset[str]]] = {
    SaleFact: frozenset({"completed_at", "completed_day", "canceled_at", "canceled_day"}),
    PaymentFact: frozenset({"confirmed_at", "confirmed_day", "failed_at", "failed_day"}),
    InvoiceFact: frozenset({"issued_at", "issued_day"}),
}
_UNCHANGING: Final[tuple[type[Base], ...]] = (SaleLineFact, RefundFact, StockFact)


def _table(fact: type[Base]) -> Table:
    return Base.metadata.tables[fact.__tablename__]


def _merging(fact: type[Base], milestones: frozenset[str]) -> Insert:
    table = _table(fact)
    statement = insert(table)
    new = statement.excluded
    merged: dict[str, ColumnElement[Any]] = {}
    for column in table.c:
        if column.name in milestones:
            # GREATEST passes over NULL on either side.
            merged[column.name] = func.greatest(column, new[column.name])
        elif not column.primary_key:
            merged[column.name] = case((new["version"] > table.c["version"], new[column.name]), else_=column)
    return statement.on_conflict_do_update(index_elements=["id"], set_=merged)


# Written out once: putting such a statement together costs more than running it.
_STATEMENTS: Final[Mapping[type[Base], Insert]] = {
    **{fact: _merging(fact, milestones) for fact, milestones in _MILESTONES.items()},
    **{fact: insert(_table(fact)).on_conflict_do_nothing() for fact in _UNCHANGING},
}


def _once(fact: type[Base]) -> Statement:
    """The same statement, together with the inbox's note of the event."""
    table = _table(fact)
    columns = table.c.keys()
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    conflict = "DO NOTHING"
    if fact in _MILESTONES:
        merged = ", ".join(
            f"{column.name} = greatest(t.{column.name}, excluded.{column.name})"
            if column.name in _MILESTONES[fact]
            else f"{column.name} = CASE WHEN excluded.version > t.version THEN excluded.{column.name}"
            f" ELSE t.{column.name} END"
            for column in table.c
            if not column.primary_key
        )
        conflict = f"(id) DO UPDATE SET {merged}"
    return Statement(
        f"WITH noted AS ({INBOX_SQL.format(condition=SCOPED)}), put AS ("  # noqa: S608 - names of our own tables
        f"INSERT INTO {table.name} AS t ({names}) SELECT {values} FROM noted WHERE {SCOPED} ON CONFLICT {conflict})"
        " SELECT count(*) FROM noted"
    )


_ONCE: Final[Mapping[type[Base], Statement]] = {fact: _once(fact) for fact in (*_MILESTONES, *_UNCHANGING)}


async def put_once(
    database: Database, received: Received[DomainEvent], fact: type[Base], row: Mapping[str, Any], now: datetime
) -> None:
    """`put` of one row, unless the event was here before, in a transaction of one statement: that is what nearly all
    events are, and four round trips less than a transaction of several."""
    parameters = {**dict.fromkeys(_table(fact).c.keys()), **row, **inbox_parameters(received, now)}
    await database.fetch_row(_ONCE[fact], parameters)
    received.accepted = True


async def put(session: AsyncSession, fact: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Merge events into the rows of their aggregates; keep what never changes as it was first told.

    A column that an event does not name is NULL in its snapshot.
    """
    blank = dict.fromkeys(_table(fact).c.keys())
    await session.execute(_STATEMENTS[fact], [{**blank, **row} for row in rows])


async def has_sales_at(database: Database, business_id: UUID, branch_id: UUID) -> bool:
    """Whether this branch of the business has ever completed a sale."""
    found = exists().where(
        SaleFact.business_id == business_id, SaleFact.branch_id == branch_id, SaleFact.completed_day.is_not(None)
    )
    async with database.read() as session:
        return bool((await session.execute(select(found))).scalar_one())
