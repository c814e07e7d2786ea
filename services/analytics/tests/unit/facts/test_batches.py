"""Who comes while others are written goes with the next; nobody is written twice, and nobody is lost."""

import asyncio
from collections.abc import Sequence

import pytest
from analytics.facts.batches import Batches


class Outage(Exception):
    """Nobody's fault."""


class Book:
    """Writes when it is let; refuses what is negative, and everything while it is shut."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.shut = False

    async def write(self, items: Sequence[int]) -> None:
        self.batches.append(list(items))
        await self.open.wait()
        if self.shut:
            raise Outage
        if any(item < 0 for item in items):
            raise ValueError("negative")


def of(book: Book, at_most: int = 3) -> Batches[int]:
    return Batches(book.write, at_most=at_most, is_outage=lambda error: isinstance(error, Outage))


async def begun(batches: Batches[int], *items: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(batches.put(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


async def test_those_who_come_meanwhile_go_together() -> None:
    book = Book()
    tasks = await begun(of(book), 1, 2, 3, 4, 5)
    book.open.set()
    await asyncio.gather(*tasks)

    assert book.batches == [[1], [2, 3, 4], [5]]


async def test_a_senseless_item_takes_no_other_along() -> None:
    book = Book()
    tasks = await begun(of(book), 1, -2, 3)
    book.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(each) for each in found] == [type(None), ValueError, type(None)]


async def test_an_outage_is_told_to_all_at_once() -> None:
    book = Book()
    book.shut = True
    tasks = await begun(of(book), 1, 2, 3)
    book.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(each) for each in found] == [Outage] * 3
    assert book.batches == [[1], [2, 3]]


async def test_the_others_are_written_when_the_one_who_writes_is_canceled() -> None:
    book = Book()
    tasks = await begun(of(book), 1, 2, 3)
    tasks[0].cancel()
    await asyncio.sleep(0)
    book.open.set()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await asyncio.gather(*tasks[1:])

    assert {2, 3} <= {item for batch in book.batches[1:] for item in batch}
