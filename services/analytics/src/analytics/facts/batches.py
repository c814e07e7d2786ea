"""Events put together into one transaction: whoever comes while one is under way goes with the next.

Nothing waits for company: a lone event is written at once. A batch that fails is tried event by event, so that one
senseless event takes no other along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[ItemT]):
    item: ItemT
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batches(Generic[ItemT]):
    """write: all of some items in one transaction, or none of them. is_outage: a failure that is no item's fault, so
    that trying each by itself would only take as many times as long."""

    def __init__(
        self,
        write: Callable[[Sequence[ItemT]], Awaitable[None]],
        *,
        at_most: int,
        is_outage: Callable[[BaseException], bool],
    ) -> None:
        self._write = write
        self._is_outage = is_outage
        self._at_most = at_most
        self._waiting: list[_Waiting[ItemT]] = []
        self._turn = asyncio.Lock()

    async def put(self, item: ItemT) -> None:
        """Returns once the item is committed. Raises what writing it raised."""
        mine = _Waiting(item)
        self._waiting.append(mine)
        try:
            async with self._turn:
                while not mine.done.done():
                    await self._flush()
        finally:
            # Whoever gives up while it waits is not written; what is under way is told to those who hear it.
            if mine in self._waiting:
                self._waiting.remove(mine)
        mine.done.result()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting[: self._at_most], self._waiting[self._at_most :]
        try:
            await self._write([waiting.item for waiting in batch])
        except Exception as error:  # noqa: BLE001 - each of them is told
            if len(batch) == 1 or self._is_outage(error):
                for waiting in batch:
                    _fail(waiting, error)
            else:
                await self._one_by_one(batch)
        except BaseException:
            # The one who wrote for all of them was canceled: the others write for themselves.
            self._waiting = [waiting for waiting in batch if not waiting.done.done()] + self._waiting
            raise
        else:
            for waiting in batch:
                waiting.done.set_result(None)

    async def _one_by_one(self, batch: Sequence[_Waiting[ItemT]]) -> None:
        for number, waiting in enumerate(batch):
            try:
                await self._write([waiting.item])
            except Exception as error:  # noqa: BLE001 - each of them is told
                _fail(waiting, error)
                if self._is_outage(error):
                    for other in batch[number + 1 :]:
                        _fail(other, error)
                    return
            except BaseException:
                self._waiting = [*batch[number:], *self._waiting]
                raise
            else:
                waiting.done.set_result(None)


def _fail(waiting: _Waiting[ItemT], error: Exception) -> None:
    waiting.done.set_exception(error)
    # It may have nobody left who asks.
    waiting.done.exception()
