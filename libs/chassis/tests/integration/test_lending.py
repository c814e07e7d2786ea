"""Connections that stay with the short way for a moment: how many, for how long, and which never."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from chassis.database import Database, Statement
from chassis.tenancy import Tenancy, scope
from kernel import new_id
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

pytestmark = pytest.mark.integration

POOL_SIZE = 4
SCOPE_OF_SESSION = "SELECT coalesce(current_setting('cobro.tenants', true), '')"


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database(os.environ["TEST_POSTGRES_URL"], service="test", pool_size=POOL_SIZE)
    yield database
    await database.close()


async def test_half_of_the_pool_at_most_stays_and_all_of_it_goes_back(database: Database) -> None:
    async with AsyncExitStack() as borrowed:
        for _ in range(POOL_SIZE):
            await borrowed.enter_async_context(database.driver())
        assert _outside(database) == POOL_SIZE
    assert _outside(database) == POOL_SIZE // 2
    await _all_back(database)
    assert await _pid(database) > 0


async def test_what_stays_serves_the_next_statement(database: Database) -> None:
    assert len({await _pid(database) for _ in range(20)}) == 1
    assert _outside(database) == 1


async def test_who_needs_a_transaction_waits_for_no_reader_at_rest(database: Database) -> None:
    """The readers' connections are at rest and not idle in the pool: the other half is enough to go on."""
    await asyncio.gather(*(_pid(database) for _ in range(POOL_SIZE * 5)))
    async with AsyncExitStack() as open_transactions:
        for _ in range(POOL_SIZE // 2):
            unit = await open_transactions.enter_async_context(database.transaction())
            assert (await unit.session.execute(text("SELECT 1"))).scalar_one() == 1
        assert await _pid(database) > 0


async def test_a_transaction_left_open_is_nobodys_scope(database: Database) -> None:
    with scope(Tenancy(businesses=frozenset({new_id()}))):
        async with database.driver() as driver:
            left = await driver.fetchval("SELECT pg_backend_pid()")
            await driver.transaction().start()
            assert await driver.fetchval(SCOPE_OF_SESSION) != ""
    assert _outside(database) == 0
    async with database.driver() as driver:
        assert await driver.fetchval("SELECT pg_backend_pid()") != left
        assert await driver.fetchval(SCOPE_OF_SESSION) == ""
        async with asyncio.timeout(5):
            while await driver.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", left):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_nothing_stays_once_it_is_closed(database: Database) -> None:
    async with database.driver():
        closing = asyncio.create_task(database.close())
        await asyncio.wait({closing})
    assert _outside(database) == 0


async def _pid(database: Database) -> int:
    row = await database.fetch_row(Statement("SELECT pg_backend_pid() AS pid"), {})
    assert row is not None
    pid: int = row["pid"]
    return pid


async def _all_back(database: Database) -> None:
    async with asyncio.timeout(5):
        while _outside(database):  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.02)


def _outside(database: Database) -> int:
    """Connections that the pool has lent and not got back."""
    pool = database.engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()
