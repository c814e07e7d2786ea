"""Making sums of days, and reading them: of marked days from the facts, of all others as they were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.aggregates.sql import COLUMNS, TABLES
from analytics.report import Coverage, Found

_TAKE: Final = text(
    "DELETE FROM stale_days WHERE business_id = :business AND day IN ("
    "SELECT DISTINCT day FROM stale_days WHERE business_id = :business ORDER BY day LIMIT :days) RETURNING day"
)
_STALE: Final = text(
    "SELECT DISTINCT day FROM stale_days WHERE business_id = :business AND day BETWEEN :first AND :last"
)
# A loose scan: a busy day has a mark per batch of events.
_BUSINESSES: Final = text(
    "WITH RECURSIVE walk AS ((SELECT business_id FROM stale_days ORDER BY business_id LIMIT 1) UNION ALL"
    " SELECT (SELECT business_id FROM stale_days WHERE business_id > walk.business_id ORDER BY business_id LIMIT 1)"
    " FROM walk WHERE walk.business_id IS NOT NULL) SELECT business_id FROM walk WHERE business_id IS NOT NULL"
)


def _making(table: str) -> tuple[TextClause, TextClause]:
    clear = text(f"DELETE FROM {table} WHERE business_id = :business AND day = ANY (:days)")  # noqa: S608
    fill = text(
        f"INSERT INTO {table} (business_id, {COLUMNS[table]})"  # noqa: S608 - our own names
        f" SELECT :business, {COLUMNS[table]} FROM ({TABLES[table]}) AS summed"
    )
    return clear, fill


def _reading(table: str, select: str, rest: str) -> TextClause:
    """select: what is asked of the rows; rest: how it is grouped and ordered."""
    columns = COLUMNS[table]
    return text(
        f"SELECT {select} FROM (SELECT {columns} FROM {table} WHERE business_id = :business"  # noqa: S608 - ours too
        " AND day BETWEEN :first AND :last AND NOT day = ANY (CAST(:days AS date[]))"
        f" UNION ALL SELECT {columns} FROM ({TABLES[table]}) AS live) AS f WHERE currency = :currency"
        f" AND (CAST(:branches AS uuid[]) IS NULL OR branch_id = ANY (CAST(:branches AS uuid[]))) {rest}"
    )


_MAKING: Final = {table: _making(table) for table in TABLES}
_SUMS: Final = "sum(number)::bigint AS number, sum(amount) AS amount, sum(tax) AS tax, sum(discount) AS discount"
_BY_MEASURE: Final = _reading("daily_figures", f"measure, key, detail, {_SUMS}", "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
_BY_DAY: Final = _reading(
    "daily_figures",
    f"day, measure, {_SUMS}",
    "AND measure = ANY (:measures) GROUP BY 1, 2 ORDER BY 1, 2",
)
_BY_HOUR: Final = _reading(
    "hourly_sales",
    "extract(isodow FROM day)::int AS weekday, hour, sum(number)::bigint AS number, sum(revenue) AS revenue",
    "GROUP BY 1, 2 ORDER BY 1, 2",
)
_BY_PRODUCT: Final = _reading(
    "daily_products",
    "product_id, max(name) AS name, sum(sold)::bigint AS sold, sum(revenue) AS revenue,"
    " sum(returned)::bigint AS returned, sum(refunded) AS refunded",
    "GROUP BY 1",
)


async def businesses(session: AsyncSession) -> list[UUID]:
    """Who has days to be summed again."""
    return list((await session.execute(_BUSINESSES)).scalars())


async def take(session: AsyncSession, business_id: UUID, at_most: int) -> list[date]:
    """The first days that wait, whose marks are gone with this transaction."""
    taken = await session.execute(_TAKE, {"business": business_id, "days": at_most})
    return sorted(set(taken.scalars()))


async def make(session: AsyncSession, business_id: UUID, days: Sequence[date]) -> None:
    """Sum these days again. A fact that comes meanwhile has a mark of its own."""
    for clear, fill in _MAKING.values():
        await session.execute(clear, {"business": business_id, "days": list(days)})
        await session.execute(fill, {"business": business_id, "days": list(days)})


async def by_measure(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """measure, key, detail, number, amount, tax, discount"""
    return await _read(session, _BY_MEASURE, covered)


async def by_day(session: AsyncSession, covered: Coverage, *measures: str) -> Sequence[Found]:
    """day, measure, number, amount, tax, discount"""
    return await _read(session, _BY_DAY, covered, measures=list(measures))


async def by_hour(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """weekday (1 is Monday), hour, number, revenue"""
    return await _read(session, _BY_HOUR, covered)


async def by_product(session: AsyncSession, covered: Coverage) -> Sequence[Found]:
    """product_id, name, sold, revenue, returned, refunded; in no order"""
    return await _read(session, _BY_PRODUCT, covered)


async def _read(session: AsyncSession, statement: TextClause, covered: Coverage, **more: Any) -> Sequence[Found]:
    scope, period = covered.scope, covered.period
    stretch = {"business": scope.business.id, "first": period.first, "last": period.last}
    stale = list((await session.execute(_STALE, stretch)).scalars())
    branches = None if scope.branches is None else list(scope.branches)
    parameters = {
        **stretch,
        "days": stale,
        "currency": scope.business.currency.value,
        "branches": branches,
        **more,
    }
    return (await session.execute(statement, parameters)).all()
