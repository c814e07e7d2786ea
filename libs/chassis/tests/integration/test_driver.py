"""Statements by the driver: what the pool would otherwise have taken care of."""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from chassis.database import Database, Statement

pytestmark = pytest.mark.integration

ECHO = Statement("SELECT CAST(:value AS int) AS value")
WHO = Statement("SELECT pg_backend_pid() AS pid")
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database(os.environ["TEST_POSTGRES_URL"], service="test", pool_size=2)
    yield database
    await database.close()


async def test_a_row_and_rows(database: Database) -> None:
    row = await database.fetch_row(ECHO, {"value": 7})
    assert row is not None
    assert row["value"] == 7
    assert [row["n"] for row in await database.fetch(Statement("SELECT generate_series(1, 3) AS n"), {})] == [1, 2, 3]


async def test_a_connection_that_was_lost_while_idle_is_replaced(database: Database) -> None:
    row = await database.fetch_row(WHO, {})
    assert row is not None
    await _terminate(row["pid"])
    async with asyncio.timeout(5):
        while (again := await _pid(database)) is None or again == row["pid"]:
            pass


async def test_a_connection_that_is_lost_in_use_does_not_return_to_the_pool(database: Database) -> None:
    async with database.driver() as driver:
        pid = await driver.fetchval("SELECT pg_backend_pid()")
        await _terminate(pid)
        with pytest.raises(LOST):
            await driver.fetchval("SELECT pg_sleep(1)")
    for _ in range(3):
        assert await _pid(database) not in (None, pid)


async def test_an_error_leaves_the_connection_usable(database: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await database.fetch_row(Statement("SELECT 1 / CAST(:zero AS int)"), {"zero": 0})
    assert await _pid(database) is not None


async def test_a_caller_that_goes_away_leaves_the_pool_whole(database: Database) -> None:
    for _ in range(5):
        waiting = asyncio.create_task(database.fetch_row(Statement("SELECT pg_sleep(5)"), {}))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(3):
        assert await _pid(database) is not None


async def _pid(database: Database) -> int | None:
    try:
        row = await database.fetch_row(WHO, {})
    except LOST:
        return None
    assert row is not None
    pid: int = row["pid"]
    return pid


async def _terminate(pid: int) -> None:
    admin = await asyncpg.connect(os.environ["TEST_POSTGRES_URL"])
    try:
        await admin.execute("SELECT pg_terminate_backend($1)", pid)
    finally:
        await admin.close()
