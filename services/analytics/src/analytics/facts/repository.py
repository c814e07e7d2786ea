"""How events become rows: whatever the order of arrival, the rows end up the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from chassis.bus.received import Received
from chassis.database import Database
from contracts.events import DomainEvent
from sqlalchemy import ColumnElement, Table, and_, case, exists, func, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.base import Base
from analytics.facts.models import (
    CashSessionFact,
    InvoiceFact,
    PaymentFact,
    ProductFact,
    RefundFact,
    SaleFact,
    SaleLineFact,
    SalePartFact,
    SaleRefundFact,
    SaleRefundLineFact,
    SaleRefundPartFact,
    StockFact,
    StockLevelFact,
)
from analytics.facts.rows import Row

# What is filled once, by the event that knows; the other columns of these facts are snapshots.
_MILESTONES: Final[Mapping[type[Base], frozenset[str]]] = {
    SaleFact: frozenset({"completed_at", "completed_day", "completed_hour", "canceled_at", "canceled_day"}),
    PaymentFact: frozenset({"confirmed_at", "confirmed_day", "failed_at", "failed_day"}),
    InvoiceFact: frozenset({"issued_at", "issued_day"}),
    CashSessionFact: frozenset(),
    ProductFact: frozenset(),
    StockLevelFact: frozenset(),
}
_UNCHANGING: Final[tuple[type[Base], ...]] = (
    SaleLineFact,
    SalePartFact,
    SaleRefundFact,
    SaleRefundPartFact,
    SaleRefundLineFact,
    RefundFact,
    StockFact,
)
# A sale before its lines, which refer to it.
FACTS: Final = (*_MILESTONES, *_UNCHANGING)

_PORTION: Final = 50_000

Day = tuple[UUID, date]

_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(hashtext('analytics.facts'), hashtext(business))"
    " FROM unnest(CAST(:businesses AS text[])) AS business"
)
_ACCEPT: Final = text(
    "INSERT INTO inbox (queue, event_id, received_at) SELECT :queue, event_id, :now"
    " FROM unnest(CAST(:event_ids AS uuid[])) AS event_id ON CONFLICT DO NOTHING RETURNING event_id"
)
# A payment's days are also those on which it counts for the branch of its sale.
_DAYS: Final = text(
    "SELECT DISTINCT business_id, day FROM ("
    "SELECT business_id, unnest(ARRAY[completed_day, canceled_day]) AS day FROM sale_facts WHERE id = ANY (:sales)"
    " UNION ALL SELECT business_id, unnest(ARRAY[created_day, confirmed_day, failed_day]) FROM payment_facts"
    " WHERE id = ANY (:payments)"
    " UNION ALL SELECT business_id, unnest(ARRAY[created_day, confirmed_day, failed_day]) FROM payment_facts"
    " WHERE sale_id = ANY (:sales)"
    " UNION ALL SELECT business_id, refunded_day FROM refund_facts WHERE sale_id = ANY (:sales)"
    ") AS touched WHERE day IS NOT NULL"
)
_MARK: Final = text(
    "INSERT INTO stale_days (business_id, day) SELECT * FROM unnest(CAST(:businesses AS uuid[]), CAST(:days AS date[]))"
)


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
    # A batch may hold events of several businesses, none of which may reach into another's rows.
    same = table.c["business_id"] == new["business_id"]
    return statement.on_conflict_do_update(index_elements=["id"], set_=merged, where=same)


# Written out once: putting such a statement together costs more than running it.
_STATEMENTS: Final[Mapping[type[Base], Insert]] = {
    **{fact: _merging(fact, milestones) for fact, milestones in _MILESTONES.items()},
    **{fact: insert(_table(fact)).on_conflict_do_nothing() for fact in _UNCHANGING},
}
_BLANK: Final[Mapping[type[Base], Mapping[str, None]]] = {fact: dict.fromkeys(_table(fact).c.keys()) for fact in FACTS}


async def lock(session: AsyncSession, businesses: Iterable[UUID]) -> None:
    """One transaction at a time changes a business's facts: what a sale means for its payments depends on both."""
    await session.execute(_LOCK, {"businesses": sorted(map(str, businesses))})


async def accept(session: AsyncSession, events: Sequence[Received[DomainEvent]], now: datetime) -> set[UUID]:
    """Take note of events in the inbox; returns the ids of those that were not there."""
    parameters = {"queue": events[0].queue, "event_ids": sorted({event.id for event in events}), "now": now}
    return set((await session.execute(_ACCEPT, parameters)).scalars())


async def put(session: AsyncSession, rows: Iterable[Row]) -> None:
    """Merge rows into those of their aggregates; keep what never changes as it was first told. One statement for all
    rows of a kind. A column that an event does not name is NULL in its snapshot."""
    by_fact: defaultdict[type[Base], list[Mapping[str, Any]]] = defaultdict(list)
    for fact, values in rows:
        by_fact[fact].append({**_BLANK[fact], **values})
    for fact in FACTS:
        if fact in by_fact:
            await session.execute(_STATEMENTS[fact], by_fact[fact])


async def days_of(session: AsyncSession, rows: Sequence[Row]) -> set[Day]:
    """The days whose figures hang on what is stored of the rows' sales and payments, and those the rows name."""
    told = {
        (values["business_id"], value)
        for _, values in rows
        for name, value in values.items()
        if name.endswith("_day") and value is not None
    }
    sales = sorted({values["id"] for fact, values in rows if fact is SaleFact})
    payments = sorted({values["id"] for fact, values in rows if fact is PaymentFact})
    if not sales and not payments:
        return told
    found = await session.execute(_DAYS, {"sales": sales, "payments": payments})
    return told | {(row.business_id, row.day) for row in found}


async def mark(session: AsyncSession, days: Iterable[Day]) -> None:
    """The sums of these days are no longer those of the facts."""
    marked = sorted(days)
    if marked:
        businesses, dates = zip(*marked, strict=True)
        await session.execute(_MARK, {"businesses": list(businesses), "days": list(dates)})


async def forget(session: AsyncSession, business_id: UUID) -> None:
    """All facts of a business, to be made again from the log."""
    for fact in (*_UNCHANGING, *_MILESTONES):
        # In portions, each far below the time that one statement may take.
        portion = text(
            f"DELETE FROM {fact.__tablename__} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {fact.__tablename__}"  # noqa: S608
            " WHERE business_id = :business LIMIT :portion))"
        )
        while (await session.execute(portion, {"business": business_id, "portion": _PORTION})).rowcount == _PORTION:  # type: ignore[attr-defined]
            continue


async def restore(session: AsyncSession, table: str, business_id: UUID, up_to: int) -> None:
    """Facts of before there was a log, which it keeps as their rows."""
    fact = next(fact for fact in FACTS if fact.__tablename__ == table)
    columns = ", ".join(_table(fact).c.keys())
    kept = ", ".join(f"kept.{name}" for name in _table(fact).c.keys())  # noqa: SIM118 - a collection of columns
    await session.execute(
        text(
            f"INSERT INTO {table} ({columns}) SELECT {kept} FROM event_log AS logged,"  # noqa: S608 - our own names
            f" json_populate_record(NULL::{table}, logged.body) AS kept WHERE logged.business_id = :business"
            " AND logged.seq <= :up_to AND logged.type = :type ON CONFLICT DO NOTHING"
        ),
        {"business": business_id, "up_to": up_to, "type": f"row:{table}"},
    )


async def all_days(session: AsyncSession, business_id: UUID) -> set[Day]:
    """Every day on which a business has a fact that is summed."""
    parts = []
    for fact in FACTS:
        table = _table(fact)
        parts += [
            select(column.label("day")).where(and_(table.c["business_id"] == business_id, column.is_not(None)))
            for column in table.c
            if column.name.endswith("_day")
        ]
    found = await session.execute(parts[0].union(*parts[1:]))
    return {(business_id, day) for day in found.scalars()}


async def has_sales_at(database: Database, business_id: UUID, branch_id: UUID) -> bool:
    """Whether this branch of the business has ever completed a sale."""
    found = exists().where(
        SaleFact.business_id == business_id, SaleFact.branch_id == branch_id, SaleFact.completed_day.is_not(None)
    )
    async with database.read() as session:
        return bool((await session.execute(select(found))).scalar_one())
