"""How many uploads a process reads at once: each is held in memory as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from auth.kyc import errors


class UploadSlots:
    """count: uploads at once. seconds: how long one may take, so that a client that dawdles does not keep its slot."""

    def __init__(self, *, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._users: set[UUID] = set()

    @asynccontextmanager
    async def taken(self, user_id: UUID) -> AsyncIterator[None]:
        """A slot for the block. Raises Conflict, RateLimited, and InvalidInput when the time is over."""
        if user_id in self._users:
            raise errors.upload_in_progress()
        if len(self._users) >= self._count:
            raise errors.uploads_busy()
        self._users.add(user_id)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise errors.upload_too_slow() from None
            raise
        finally:
            self._users.discard(user_id)
