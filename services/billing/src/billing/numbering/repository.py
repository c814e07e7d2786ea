"""Queries of series and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from billing.numbering.models import FreeNumber, NumberRange, NumberSeries

# Numbers given out at once: few enough that a series without documents holds back little of a range.
BLOCK: Final = 64

_GIVE_OUT: Final = text(
    "INSERT INTO free_numbers (business_id, series, number)"
    " SELECT CAST(:business_id AS uuid), CAST(:series AS text),"
    " generate_series(CAST(:first AS bigint), CAST(:last AS bigint))"
    " ON CONFLICT DO NOTHING"
)


async def lock_series(session: AsyncSession, business_id: UUID, series: str) -> int:
    """The last number given, locked until the transaction ends."""
    statement = (
        insert(NumberSeries)
        .values(business_id=business_id, series=series, last_number=0)
        .on_conflict_do_update(
            index_elements=[NumberSeries.business_id, NumberSeries.series],
            set_={"last_number": NumberSeries.last_number},
        )
        .returning(NumberSeries.last_number)
    )
    return int((await session.execute(statement)).scalar_one())


async def take(session: AsyncSession, business_id: UUID, series: str, *, today: date | None) -> int | None:
    """The lowest free number that nobody else is taking, for this transaction; None where there is none.

    today: of a series fed from ranges, whose numbers are good for as long as their range.
    """
    of_series = and_(FreeNumber.business_id == business_id, FreeNumber.series == series)
    statement = select(FreeNumber.number).where(of_series)
    if today is not None:
        good = _good(business_id, series, today).where(FreeNumber.number.between(NumberRange.first, NumberRange.last))
        statement = statement.where(good.exists())
    lowest = statement.order_by(FreeNumber.number).limit(1).with_for_update(skip_locked=True, of=FreeNumber)
    taken = await session.execute(
        delete(FreeNumber).where(of_series, FreeNumber.number == lowest.scalar_subquery()).returning(FreeNumber.number)
    )
    return taken.scalar_one_or_none()


async def refill(session: AsyncSession, business_id: UUID, series: str) -> None:
    """A block of the counter's next numbers, unless somebody else has just given some out."""
    last = await lock_series(session, business_id, series)
    if await _has_free(session, business_id, series):
        return
    await _give_out(session, business_id, series, last + 1, last + BLOCK)
    await session.execute(
        update(NumberSeries)
        .where(NumberSeries.business_id == business_id, NumberSeries.series == series)
        .values(last_number=last + BLOCK)
    )


async def refill_from_ranges(session: AsyncSession, business_id: UUID, series: str, today: date) -> bool:
    """A block of the oldest good range. False where no range has a number left."""
    await lock_series(session, business_id, series)
    statement = (
        _good(business_id, series, today)
        .where(NumberRange.next_number <= NumberRange.last)
        .order_by(NumberRange.first)
        .limit(1)
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        return await _has_free(session, business_id, series)
    end = min(row.next_number + BLOCK - 1, row.last)
    await _give_out(session, business_id, series, row.next_number, end)
    await session.execute(update(NumberRange).where(NumberRange.id == row.id).values(next_number=end + 1))
    return True


async def give_back(session: AsyncSession, business_id: UUID, series: str, number: int) -> None:
    await _give_out(session, business_id, series, number, number)


async def range_of(session: AsyncSession, business_id: UUID, series: str, number: int) -> NumberRange | None:
    statement = select(NumberRange).where(
        NumberRange.business_id == business_id,
        NumberRange.series == series,
        NumberRange.first <= number,
        NumberRange.last >= number,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def hold(session: AsyncSession, business_id: UUID, series: str, holder: UUID) -> bool:
    """Become the one document of the series that is under way. True also where it is that already."""
    await lock_series(session, business_id, series)
    statement = (
        update(NumberSeries)
        .where(
            NumberSeries.business_id == business_id,
            NumberSeries.series == series,
            or_(NumberSeries.holder.is_(None), NumberSeries.holder == holder),
        )
        .values(holder=holder)
        .returning(NumberSeries.series)
    )
    return (await session.execute(statement)).first() is not None


async def release(session: AsyncSession, business_id: UUID, series: str, holder: UUID) -> None:
    await session.execute(
        update(NumberSeries)
        .where(NumberSeries.business_id == business_id, NumberSeries.series == series, NumberSeries.holder == holder)
        .values(holder=None)
    )


async def ranges(session: AsyncSession, business_id: UUID) -> Sequence[tuple[NumberRange, int]]:
    """Every range with how many of its numbers no document has, newest first."""
    free = (
        select(func.count())
        .where(
            FreeNumber.business_id == NumberRange.business_id,
            FreeNumber.series == NumberRange.series,
            FreeNumber.number.between(NumberRange.first, NumberRange.last),
        )
        .scalar_subquery()
    )
    statement = (
        select(NumberRange, NumberRange.last - NumberRange.next_number + 1 + free)
        .where(NumberRange.business_id == business_id)
        .order_by(NumberRange.series, NumberRange.first.desc())
    )
    return [(row, int(left)) for row, left in await session.execute(statement)]


async def overlapping(session: AsyncSession, business_id: UUID, series: str, first: int, last: int) -> bool:
    """Whether a range that begins elsewhere, or ends elsewhere, has some of these numbers."""
    statement = select(NumberRange.id).where(
        NumberRange.business_id == business_id,
        NumberRange.series == series,
        NumberRange.first <= last,
        NumberRange.last >= first,
        or_(NumberRange.first != first, NumberRange.last != last),
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def add_range(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """One that is there already is left as it is."""
    keys = [NumberRange.business_id, NumberRange.series, NumberRange.first]
    await session.execute(insert(NumberRange).values(**row).on_conflict_do_nothing(index_elements=keys))


def _good(business_id: UUID, series: str, today: date) -> Any:
    conditions: list[ColumnElement[bool]] = [
        NumberRange.business_id == business_id,
        NumberRange.series == series,
        or_(NumberRange.valid_from.is_(None), NumberRange.valid_from <= today),
        or_(NumberRange.expires_on.is_(None), NumberRange.expires_on >= today),
    ]
    return select(NumberRange).where(*conditions)


async def _has_free(session: AsyncSession, business_id: UUID, series: str) -> bool:
    statement = select(FreeNumber.number).where(FreeNumber.business_id == business_id, FreeNumber.series == series)
    # One that others are about to take is no help to who is short of one.
    return (await session.execute(statement.limit(1).with_for_update(skip_locked=True))).first() is not None


async def _give_out(session: AsyncSession, business_id: UUID, series: str, first: int, last: int) -> None:
    values = {"business_id": business_id, "series": series, "first": first, "last": last}
    await session.execute(_GIVE_OUT, values)
