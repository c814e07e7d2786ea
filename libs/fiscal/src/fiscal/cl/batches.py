"""Documents of one business on their way to one service are gathered for a moment and travel in one envelope."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from fiscal.errors import OutcomeUnknown

Key = tuple[str, ...]
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Waiting:
    payloads: list[bytes] = field(default_factory=list)
    answers: list[asyncio.Future[object]] = field(default_factory=list)


class Batches:
    """seconds: how long the first of an envelope waits for others. size: how many there are at most. Inside a running
    event loop; close it."""

    def __init__(self, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._waiting: dict[Key, _Waiting] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, key: Key, payload: bytes, send: Callable[[tuple[bytes, ...]], Awaitable[Answer]]) -> Answer:
        """What the envelope was answered, or whatever `send` raised. send: of whoever came first of the same key."""
        waiting = self._waiting.get(key)
        if waiting is None or len(waiting.payloads) >= self._size:
            waiting = self._waiting[key] = _Waiting()
            task = asyncio.create_task(self._gather(key, waiting, send))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting.payloads.append(payload)
        waiting.answers.append(answer)  # type: ignore[arg-type]
        return await answer

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _gather(
        self, key: Key, waiting: _Waiting, send: Callable[[tuple[bytes, ...]], Awaitable[object]]
    ) -> None:
        error: BaseException | None = None
        answer: object = None
        try:
            await asyncio.sleep(self._seconds)
            if self._waiting.get(key) is waiting:
                del self._waiting[key]
            answer = await send(tuple(waiting.payloads))
        except asyncio.CancelledError:
            # It may have left.
            error = OutcomeUnknown()
        except Exception as failed:  # noqa: BLE001 - raised again where it is waited for
            error = failed
        for future in waiting.answers:
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(answer)
