"""Connections of the pool for the short way: a statement straight to the driver, without SQLAlchemy around it.

Taking a connection from SQLAlchemy's pool and giving it back costs half of what a read by key does. So a few of them,
once given back, stay here for the next statement, and go back to the pool ten times a second. They are never more than
half of the pool: whoever needs a transaction does not wait for those that read.
"""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
from sqlalchemy.pool import Pool, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

_KEPT_SECONDS: Final = 0.1


class LentConnections:
    """at_most: how many are kept here at rest. Belongs to one loop."""

    def __init__(self, pool: Pool, *, at_most: int) -> None:
        self._pool = pool
        self._at_most = at_most
        self._at_rest: list[PoolProxiedConnection] = []
        self._timer: asyncio.TimerHandle | None = None
        self._returning: asyncio.Task[None] | None = None
        self._closed = False

    async def take(self) -> PoolProxiedConnection:
        """One that is not known to be lost. Raises what the pool raises."""
        while self._at_rest:
            pooled = self._at_rest.pop()
            if not _is_lost(pooled):
                return pooled
            await greenlet_spawn(pooled.invalidate)
        # From the pool itself: the layers of SQLAlchemy above it cost more than the statement.
        pooled = await greenlet_spawn(self._pool.connect)
        if _is_lost(pooled):
            # SQLAlchemy sees a lost connection only by its own calls.
            await greenlet_spawn(pooled.invalidate)
            pooled = await greenlet_spawn(self._pool.connect)
        return pooled

    async def put(self, pooled: PoolProxiedConnection) -> None:
        """What was taken must come back, whatever became of it."""
        if self._closed or _is_lost(pooled) or driver_of(pooled).is_in_transaction():
            # A transaction left open, of which SQLAlchemy knows nothing, would hand its scope to the next borrower; and
            # a pool that has been disposed of would keep the connection open for nobody.
            await greenlet_spawn(pooled.invalidate)
        elif len(self._at_rest) >= self._at_most:
            await greenlet_spawn(pooled.close)
        else:
            self._at_rest.append(pooled)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._return_later)

    async def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._returning is not None:
            await self._returning
        await self._return_all()

    def _return_later(self) -> None:
        self._timer = None
        self._returning = asyncio.create_task(self._return_all())

    async def _return_all(self) -> None:
        at_rest, self._at_rest = self._at_rest, []
        for pooled in at_rest:
            await greenlet_spawn(pooled.invalidate if _is_lost(pooled) else pooled.close)


def driver_of(pooled: PoolProxiedConnection) -> asyncpg.Connection:
    connection: asyncpg.Connection | None = pooled.driver_connection
    assert connection is not None, "a connection that was given back"
    return connection


def _is_lost(pooled: PoolProxiedConnection) -> bool:
    return pooled.driver_connection is None or pooled.driver_connection.is_closed()
