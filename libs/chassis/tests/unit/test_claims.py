import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest
from chassis.runtime.claims import ClaimLoop
from chassis.runtime.jobs import run_forever


class Table:
    """What is due, and for each item the work that it is. Notes what began, ended, and was in hand at once."""

    def __init__(self) -> None:
        self.due: list[str] = []
        self.blocked: dict[str, asyncio.Event] = {}
        self.errors: dict[str, Exception] = {}
        self.done: list[str] = []
        self.in_hand: set[str] = set()
        self.most = 0
        self.workers: set[UUID] = set()

    async def claim(self, worker: UUID, limit: int) -> Sequence[str]:
        await asyncio.sleep(0)
        taken, self.due = self.due[:limit], self.due[limit:]
        self.workers.add(worker)
        return taken

    async def work(self, item: str, worker: UUID) -> None:
        self.in_hand.add(item)
        self.most = max(self.most, len(self.in_hand))
        await asyncio.sleep(0)
        if item in self.blocked:
            await self.blocked[item].wait()
        self.in_hand.discard(item)
        if item in self.errors:
            raise self.errors[item]
        self.done.append(item)

    def block(self, item: str) -> asyncio.Event:
        self.blocked[item] = asyncio.Event()
        return self.blocked[item]


@pytest.fixture
def table() -> Table:
    return Table()


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def woken(loop: ClaimLoop[str]) -> None:
    loop.wake()
    async with asyncio.timeout(2):
        await loop.run()


async def test_a_backlog_is_done_with_so_much_in_hand_and_no_more(table: Table) -> None:
    table.due = [str(number) for number in range(50)]
    loop = ClaimLoop(table.claim, table.work, at_once=4)

    await woken(loop)
    await loop.finish()

    assert sorted(table.done, key=int) == [str(number) for number in range(50)]
    assert table.most == 4


async def test_one_that_takes_long_holds_up_no_other(table: Table) -> None:
    release, table.due = table.block("slow"), ["slow", *"abcdef"]
    loop = ClaimLoop(table.claim, table.work, at_once=2)

    await woken(loop)
    await until(lambda: table.done == list("abcdef"))
    table.due = ["g"]
    await woken(loop)
    await until(lambda: table.done[-1] == "g")
    release.set()
    await loop.finish()

    assert table.done[-1] == "slow"


async def test_while_all_hands_are_full_nothing_more_is_claimed(table: Table) -> None:
    releases, table.due = [table.block("a"), table.block("b")], ["a", "b", "c"]
    loop = ClaimLoop(table.claim, table.work, at_once=2)
    running = asyncio.create_task(woken(loop))
    await until(lambda: table.in_hand == {"a", "b"})
    assert table.due == ["c"]

    releases[1].set()
    await until(lambda: "c" in table.done)
    releases[0].set()
    await running
    await loop.finish()

    assert table.done == ["b", "c", "a"]


async def test_it_looks_by_itself_now_and_then(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.runtime.claims._POLL_SECONDS", 0.01)
    table.due = ["a"]
    loop = ClaimLoop(table.claim, table.work, at_once=2)

    await loop.run()
    await loop.finish()

    assert table.done == ["a"]


async def test_what_becomes_due_while_it_claims_is_not_forgotten(table: Table) -> None:
    loop: ClaimLoop[str]

    async def claim(worker: UUID, limit: int) -> Sequence[str]:
        taken = await table.claim(worker, limit)
        if not taken and not table.done:
            table.due = ["late"]
            loop.wake()
        return taken

    loop = ClaimLoop(claim, table.work, at_once=2)
    table.due = []
    await woken(loop)
    async with asyncio.timeout(1):
        await loop.run()
    await loop.finish()

    assert table.done == ["late"]


async def test_work_that_fails_is_the_next_runs_failure_and_nobody_elses(table: Table) -> None:
    table.errors["b"], table.due = ValueError("b"), ["a", "b", "c"]
    release = table.block("b")
    loop = ClaimLoop(table.claim, table.work, at_once=4)

    await woken(loop)
    release.set()
    await loop.finish()
    table.due = ["d"]
    with pytest.raises(ValueError, match="b"):
        await woken(loop)
    await woken(loop)
    await loop.finish()

    assert table.done == ["a", "c", "d"]


@pytest.mark.parametrize("release", [True, False])
async def test_finish_waits_for_what_is_in_hand(table: Table, release: bool) -> None:
    held, table.due = table.block("a"), ["a"]
    loop = ClaimLoop(table.claim, table.work, at_once=1)
    begin: Callable[[], Awaitable[object]] = loop.run
    loop.wake()
    running = asyncio.create_task(_both(begin, loop.finish))
    await until(lambda: table.in_hand == {"a"})
    assert not running.done()

    if release:
        held.set()
        await running
        assert table.done == ["a"]
    else:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        held.set()
        await until(lambda: table.done == ["a"])


async def _both(first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]]) -> None:
    await first()
    await second()


async def test_a_process_that_ends_finishes_what_it_has_in_hand(table: Table) -> None:
    held, table.due, stopping = table.block("a"), ["a"], asyncio.Event()
    loop = ClaimLoop(table.claim, table.work, at_once=2)
    loop.wake()
    running = asyncio.create_task(run_forever(loop.job("work"), None, "test", stopping))
    await until(lambda: table.in_hand == {"a"})

    stopping.set()
    loop.wake()
    await asyncio.sleep(0.1)
    assert not running.done()
    held.set()
    async with asyncio.timeout(2):
        await running

    assert table.done == ["a"]


async def test_every_claim_is_a_worker_of_its_own(table: Table) -> None:
    table.due = list("abcdef")
    loop = ClaimLoop(table.claim, table.work, at_once=2)

    while await loop.once():
        continue

    assert table.done == list("abcdef")
    assert len(table.workers) == 4
