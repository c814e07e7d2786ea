"""Waiting for what happens behind the API: asking again until a deadline, never sleeping for luck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0


async def until(
    fetch: Callable[[], Awaitable[T]], enough: Callable[[T], object] = bool, *, within: float = PATIENCE
) -> T:
    """What `fetch` gives once `enough` says so; an AssertionError with its last answer after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        found = await fetch()
        if enough(found):
            return found
        assert time.monotonic() < deadline, f"still {found!r:.1000} after {within:.0f} s"
        await asyncio.sleep(0.1)
