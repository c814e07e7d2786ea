"""A thousand documents at once, of which every seventh is rolled back: no gap, no double, no waiting for each other."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from billing.numbering import repository
from billing.numbering.models import NumberRange
from kernel import new_id

pytestmark = pytest.mark.integration

TODAY = date(2026, 1, 15)


class _RolledBack(Exception):
    pass


async def take_all(sut: Any, business_id: UUID, count: int, *, today: date | None = None) -> list[int]:
    database = sut.kit.database
    # As many at work as the process has connections: the others wait for their turn, as documents do.
    room = asyncio.Semaphore(8)

    async def one(index: int) -> int:
        async with room:
            return await taken(index)

    async def taken(index: int) -> int:
        dies = index % 7 == 0
        while True:
            try:
                async with database.transaction() as unit:
                    number = await repository.take(unit.session, business_id, "S", today=today)
                    if number is not None:
                        if dies:
                            dies = False
                            raise _RolledBack
                        return number
            except _RolledBack:
                continue
            async with database.transaction() as unit:
                if today is None:
                    await repository.refill(unit.session, business_id, "S")
                else:
                    assert await repository.refill_from_ranges(unit.session, business_id, "S", today)

    return list(await asyncio.gather(*(one(index) for index in range(count))))


async def rest(sut: Any, business_id: UUID, today: date | None = None) -> list[int]:
    """What a series still has, taken to the last."""
    found = []
    async with sut.kit.database.transaction() as unit:
        while (number := await repository.take(unit.session, business_id, "S", today=today)) is not None:
            found.append(number)
    return found


async def test_a_counter_of_our_own(sut: Any) -> None:
    business_id = new_id()

    numbers = await take_all(sut, business_id, 1000)

    assert len(set(numbers)) == 1000
    left = await rest(sut, business_id)
    assert sorted(numbers + left) == list(range(1, 1000 + len(left) + 1))
    assert len(left) < 1000


async def test_ranges_of_an_authority(sut: Any) -> None:
    business_id = new_id()
    rows = [(1001, 1100), (1, 80), (5001, 5040)]
    async with sut.kit.database.transaction() as unit:
        for first, last in rows:
            range_id = new_id()
            content = sut.context.vault.seal(b"", f"number_ranges.content:{range_id}")
            values = {"series": "S", "first": first, "last": last, "next_number": first, "content": content}
            unit.session.add(NumberRange(id=range_id, business_id=business_id, **values))

    numbers = await take_all(sut, business_id, 200, today=TODAY)

    everything = [number for first, last in rows for number in range(first, last + 1)]
    while await refilled(sut, business_id):
        numbers += await rest(sut, business_id, TODAY)
    assert sorted(numbers) == sorted(everything)


async def refilled(sut: Any, business_id: UUID) -> bool:
    async with sut.kit.database.transaction() as unit:
        return await repository.refill_from_ranges(unit.session, business_id, "S", TODAY)
