"""Work that waits in a table, done by whichever process claims it.

The table says what is due, so that nothing is lost with a process; a lease on the row says who has it, so that several
processes may do the same work side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from chassis.runtime.jobs import Job

ItemT = TypeVar("ItemT")

_POLL_SECONDS = 2.0
# Between runs, so that a database that fails at once is not asked in a tight loop.
_PAUSE_SECONDS = 0.05


class ClaimLoop(Generic[ItemT]):
    """At most `at_once` items in hand; one that takes long holds up no other while there is room.

    claim(worker, limit): items that are due, leased to `worker`.
    work(item, worker): does one and records what became of it, unless the lease was lost meanwhile.
    """

    def __init__(
        self,
        claim: Callable[[UUID, int], Awaitable[Sequence[ItemT]]],
        work: Callable[[ItemT, UUID], Coroutine[Any, Any, None]],
        *,
        at_once: int,
    ) -> None:
        self._claim = claim
        self._work = work
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._in_hand: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def job(self, name: str) -> Job:
        """Not exclusive: leases keep several processes apart, and each wakes its own."""
        return Job(name, _PAUSE_SECONDS, self.run, exclusive=False, finish=self.finish)

    def wake(self) -> None:
        """Something became due in this process: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Wait until woken, at most two seconds, then begin all that is due. Raises what earlier work raised."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await self._woken.wait()
        self._woken.clear()
        while True:
            room = self._at_once - len(self._in_hand)
            if room and await self._begin(room) < room:
                break
            if self._in_hand:
                await asyncio.wait(self._in_hand, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()

    async def once(self) -> int:
        """One handful, beside what `run` has in hand, to its end; returns how many items. For tests and commands."""
        worker = uuid4()
        claimed = await self._claim(worker, self._at_once)
        await asyncio.gather(*(self._work(item, worker) for item in claimed))
        return len(claimed)

    async def finish(self) -> None:
        """Return when nothing is in hand any more."""
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _begin(self, limit: int) -> int:
        """Claim and start; fewer than `limit` when no more is due."""
        worker = uuid4()
        claimed = await self._claim(worker, limit)
        for item in claimed:
            task = asyncio.create_task(self._work(item, worker))
            self._in_hand.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
