"""Drawing off the event loop, one document at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Format(StrEnum):
    """TICKET: 80 mm, for the till's printer and a telephone's screen."""

    TICKET = "ticket"
    A4 = "a4"


class RenderingFailed(Exception):
    """The document cannot be drawn: trying again only helps after a change of ours."""


class DrawingThread:
    """One, so that drawing takes at most one core from answering requests. Close it at the end."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")

    async def run(self, draw: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, draw, *arguments)

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
