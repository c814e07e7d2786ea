"""One pool per process, and transactions that are run again when PostgreSQL asks for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from kernel import Clock, SystemClock
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from chassis.database.driver import ScopedConnection, Statement
from chassis.database.lending import LentConnections, driver_of
from chassis.database.unit import UnitOfWork
from chassis.telemetry import metrics

T = TypeVar("T")

# serialization_failure, deadlock_detected: the transaction did nothing and may simply be run again.
_RETRYABLE = frozenset({"40001", "40P01"})
_ATTEMPTS = 4


def async_url(url: str) -> str:
    """The same URL for SQLAlchemy's asyncpg dialect."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


class Database:
    """Create it inside the running loop; `close()` it at the end.

    on_commit is called after every commit that wrote events: it wakes the relay.
    """

    def __init__(self, url: str, *, service: str, pool_size: int = 8, clock: Clock | None = None) -> None:
        self.service = service
        self.clock = clock or SystemClock()
        self.events_written = asyncio.Event()
        # For who keeps a connection for a lock while needing others for the work under it: as many of them as the pool
        # has connections would wait for each other.
        self.lock_holders = asyncio.Semaphore(max(1, pool_size // 4))
        self.engine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=3,
            pool_recycle=1800,
            connect_args={
                "timeout": 3,
                "command_timeout": 15,
                "server_settings": {"application_name": service},
                "connection_class": ScopedConnection,
            },
        )
        self._reading = self.engine.execution_options(postgresql_readonly=True)
        # One statement that is its own transaction: no BEGIN and COMMIT round trips.
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lent = LentConnections(self.engine.sync_engine.pool, at_most=pool_size // 2)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """One transaction. Commits at the end of the block, rolls back on any exception."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session:
            unit = UnitOfWork(session, self.clock)
            async with session.begin():
                yield unit
                wrote = await unit.finish()
        if wrote:
            self.events_written.set()

    async def run(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """`work` in a transaction, again when it lost a race (40001, 40P01): it must do nothing but database work."""

        async def once() -> T:
            async with self.transaction() as unit:
                return await work(unit)

        return await self.retry(once)

    async def retry(self, work: Callable[[], Awaitable[T]]) -> T:
        """`work`, again when it lost a race: for statements that are transactions of their own, which must bear being
        sent again."""
        for attempt in range(_ATTEMPTS):
            try:
                return await work()
            except DBAPIError as error:
                code = getattr(error.orig, "sqlstate", None)
                if code not in _RETRYABLE or attempt == _ATTEMPTS - 1:
                    raise
                metrics.transaction_retries.labels(self.service, code).inc()
                await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading, in a read-only transaction that begins with its first statement."""
        async with AsyncSession(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which every statement is its own transaction and so has no scope but SCOPED's: for locks of
        the session, functions of the owner's, and tables that belong to no tenant."""
        async with self._autocommit.connect() as connection:
            yield connection

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver's own connection, in autocommit, where a statement's scope is SCOPED's. After writing an outbox
        row by hand, call `wake_relay()`."""
        pooled = await self._lent.take()
        try:
            yield driver_of(pooled)
        finally:
            await self._lent.put(pooled)

    async def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> list[asyncpg.Record]:
        pooled = await self._lent.take()
        try:
            return list(await driver_of(pooled).fetch(statement.sql, *statement.arguments(parameters)))
        finally:
            await self._lent.put(pooled)

    async def fetch_row(self, statement: Statement, parameters: Mapping[str, Any]) -> asyncpg.Record | None:
        pooled = await self._lent.take()
        try:
            return await driver_of(pooled).fetchrow(statement.sql, *statement.arguments(parameters))
        finally:
            await self._lent.put(pooled)

    def wake_relay(self) -> None:
        self.events_written.set()

    async def ping(self) -> bool:
        async with self.autocommit() as connection:
            return bool((await connection.execute(text("SELECT 1"))).scalar_one())

    async def close(self) -> None:
        await self._lent.close()
        await self.engine.dispose()
