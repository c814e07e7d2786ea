"""What providers of messages report afterwards: posted a moment later, signed, a few times until it is taken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

_LOG = logging.getLogger(__name__)
_DELAYS = (0.05, 1.0, 5.0, 30.0)
_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class ReportPost:
    url: str
    body: bytes
    headers: Mapping[str, str]


class Reports:
    """In memory: a twin that is restarted forgets what it had not reported yet. time_scale divides the delays. posting:
    without it nothing is."""

    def __init__(self, time_scale: float, *, posting: bool = True) -> None:
        self._scale = time_scale
        self._posting = posting
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, posts: Sequence[ReportPost]) -> None:
        """One after the other."""
        if not self._posting:
            return
        task = asyncio.create_task(self._post_all(posts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post_all(self, posts: Sequence[ReportPost]) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session:
            for post in posts:
                for delay in _DELAYS:
                    await asyncio.sleep(delay / self._scale)
                    if await self._taken(session, post):
                        break

    async def _taken(self, session: aiohttp.ClientSession, post: ReportPost) -> bool:
        try:
            async with session.post(post.url, data=post.body, headers=post.headers) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _LOG.warning("a report was not taken: %s", type(error).__name__)
            return False
