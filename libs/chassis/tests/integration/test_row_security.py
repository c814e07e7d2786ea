"""PostgreSQL shows a task the rows of its scope and no others, however it asks and whatever went before."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from chassis.database import SCOPED, Database, Statement
from chassis.http.errors import is_row_violation
from chassis.tenancy import everyone, only
from chassis.testing.barriers import unsecured
from chassis.testing.service import ServiceUnderTest
from kernel import new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration

INSERT = text("INSERT INTO accounts (id, business_id) VALUES (:id, :business)")
FIND = Statement(f"SELECT label FROM accounts WHERE id = :id AND {SCOPED}")
FIND_UNSCOPED = Statement("SELECT label FROM accounts WHERE id = :id")
RENAME = Statement(f"UPDATE accounts SET label = 'renamed' WHERE id = :id AND {SCOPED} RETURNING id")
GIVE_AWAY = Statement(f"UPDATE accounts SET business_id = :business WHERE id = :id AND {SCOPED} RETURNING id")
REMOVE = Statement(f"DELETE FROM accounts WHERE id = :id AND {SCOPED} RETURNING id")
OPEN = Statement(f"INSERT INTO accounts (id, business_id) SELECT :id, :business WHERE {SCOPED} RETURNING id")
OPEN_TWO = Statement(
    f"WITH first AS (INSERT INTO accounts (id, business_id) SELECT :id, :business WHERE {SCOPED} RETURNING business_id)"
    " INSERT INTO accounts (id, business_id) SELECT :other, business_id FROM first RETURNING id"
)
SCOPE_NOW = text(
    "SELECT current_setting('cobro.tenants', true) AS tenants, current_setting('cobro.user', true) AS person"
)
EXEMPT = {"notes": "no tenant's"}


async def open_account(database: Database, business_id: UUID) -> UUID:
    account = new_id()
    with only(business_id):
        async with database.transaction() as unit:
            await unit.session.execute(INSERT, {"id": account, "business": business_id})
    return account


async def finds(database: Database, account: UUID) -> tuple[bool, bool]:
    """Through SQLAlchemy, and by the driver."""
    async with database.read() as session:
        row = (await session.execute(text("SELECT id FROM accounts WHERE id = :id"), {"id": account})).first()
    return row is not None, await database.fetch_row(FIND, {"id": account}) is not None


@pytest.fixture
async def single(probe: ServiceUnderTest) -> AsyncIterator[Database]:
    """A pool of one connection, so that everyone borrows the same."""
    url = probe.kit.settings.database_url
    assert url is not None
    database = Database(url.get_secret_value(), service="probe", pool_size=1)
    yield database
    await database.close()


async def test_a_task_without_a_scope_sees_and_writes_nothing(database: Database) -> None:
    account = await open_account(database, new_id())
    assert await finds(database, account) == (False, False)
    with pytest.raises(DBAPIError) as refused:
        async with database.transaction() as unit:
            await unit.session.execute(INSERT, {"id": new_id(), "business": new_id()})
    assert is_row_violation(refused.value)
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused_by_driver:
        await database.fetch_row(OPEN, {"id": new_id(), "business": new_id()})
    assert is_row_violation(refused_by_driver.value)


async def test_a_scope_opens_its_own_businesses(database: Database) -> None:
    first, second, foreign = new_id(), new_id(), new_id()
    accounts = [await open_account(database, business) for business in (first, second, foreign)]
    with only(first, second):
        assert [await finds(database, account) for account in accounts] == [(True, True), (True, True), (False, False)]
    with everyone():
        assert [await finds(database, account) for account in accounts] == [(True, True)] * 3


@pytest.mark.parametrize(
    "sql", ["UPDATE accounts SET label = 'x' WHERE id = :id", "DELETE FROM accounts WHERE id = :id"]
)
async def test_a_foreign_row_is_neither_changed_nor_deleted(database: Database, sql: str) -> None:
    account = await open_account(database, new_id())
    with only(new_id()):
        async with database.transaction() as unit:
            done = await unit.session.execute(text(sql), {"id": account})
    assert done.rowcount == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", [RENAME, REMOVE])
async def test_nor_by_a_statement_of_the_driver(database: Database, statement: Statement) -> None:
    business = new_id()
    account = await open_account(database, business)
    with only(new_id()):
        assert await database.fetch_row(statement, {"id": account}) is None
    with only(business):
        assert await database.fetch_row(statement, {"id": account}) is not None


async def test_a_row_is_not_given_away(database: Database) -> None:
    business = new_id()
    account = await open_account(database, business)
    with only(business), pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch_row(GIVE_AWAY, {"id": account, "business": new_id()})


async def test_writing_ctes_carry_the_scope(database: Database) -> None:
    business, first, second = new_id(), new_id(), new_id()
    with only(business):
        assert await database.fetch_row(OPEN_TWO, {"id": first, "other": second, "business": business}) is not None
        assert await finds(database, second) == (True, True)
    with only(new_id()), pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch_row(OPEN_TWO, {"id": new_id(), "other": new_id(), "business": business})


async def test_a_statement_that_forgot_its_scope_gets_nothing(database: Database) -> None:
    business = new_id()
    account = await open_account(database, business)
    with only(business):
        assert await database.fetch_row(FIND_UNSCOPED, {"id": account}) is None


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan", "force_custom_plan"])
async def test_a_prepared_statement_keeps_tenants_apart_under_every_plan(single: Database, mode: str) -> None:
    one, other = new_id(), new_id()
    account = await open_account(single, one)
    async with single.driver() as driver:
        await driver.execute(f"SET plan_cache_mode = {mode}")
    for _ in range(10):  # PostgreSQL considers a generic plan from the sixth run on
        with only(one):
            assert await single.fetch_row(FIND, {"id": account}) is not None
        with only(other):
            assert await single.fetch_row(FIND, {"id": account}) is None
        assert await single.fetch_row(FIND, {"id": account}) is None


async def test_the_scope_is_set_before_the_scan_and_the_index_is_used(single: Database) -> None:
    business = new_id()
    account = await open_account(single, business)
    async with single.driver() as driver:
        await driver.execute("SET enable_seqscan = off")
        with only(business):
            arguments = FIND.arguments({"id": account})
            rows = await driver.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) {FIND.sql}", *arguments)
    plan = [row[0].strip() for row in rows]
    assert plan[0].startswith("Result"), plan
    assert any(line.startswith("One-Time Filter") for line in plan), plan
    assert any("Index Scan using pk_accounts" in line or "accounts_pkey" in line for line in plan), plan


async def test_a_pool_of_one_never_hands_a_scope_on(single: Database) -> None:
    one, other = new_id(), new_id()
    mine, theirs = await open_account(single, one), await open_account(single, other)
    for _ in range(3):
        with only(one):
            assert await finds(single, mine) == (True, True)
            assert await finds(single, theirs) == (False, False)
        with only(other):
            assert await finds(single, mine) == (False, False)
        assert await finds(single, mine) == (False, False)


async def test_nor_after_an_error_a_rollback_or_a_cancellation(single: Database) -> None:
    business = new_id()
    account = await open_account(single, business)

    async def fail() -> None:
        with only(business):
            async with single.transaction() as unit:
                await unit.session.execute(text("SELECT 1 / 0"))

    async def roll_back() -> None:
        with only(business):
            async with single.transaction() as unit:
                await unit.session.execute(text("SELECT 1"))
                raise LookupError

    async def fail_by_driver() -> None:
        with only(business):
            await single.fetch_row(Statement(f"SELECT 1 / CAST(:zero AS int) WHERE {SCOPED}"), {"zero": 0})

    async def hang() -> None:
        with only(business):
            async with single.transaction() as unit:
                await unit.session.execute(text("SELECT pg_sleep(30)"))

    async def hang_in_driver() -> None:
        with only(business):
            await single.fetch_row(Statement(f"SELECT pg_sleep(30) WHERE {SCOPED}"), {})

    for broken in (fail, roll_back, fail_by_driver, hang, hang_in_driver):
        task = asyncio.create_task(broken())
        await asyncio.wait({task}, timeout=0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await finds(single, account) == (False, False), broken.__name__
        async with single.read() as session:
            settings = (await session.execute(SCOPE_NOW)).one()
        assert tuple(settings) == ("", ""), broken.__name__
        with only(business):
            assert await finds(single, account) == (True, True), broken.__name__


async def test_a_begin_that_may_or_may_not_have_happened_costs_the_connection(single: Database) -> None:
    async with single.driver() as driver:
        with pytest.raises(TimeoutError):
            await driver.execute("BEGIN; SELECT pg_sleep(5);", timeout=0.1)
        assert driver.is_closed()
    assert await single.ping()


async def test_the_levels_of_isolation_and_savepoints_work_as_ever(database: Database) -> None:
    business = new_id()
    account = await open_account(database, business)
    with only(business):
        for options in ({"isolation_level": "SERIALIZABLE"}, {"postgresql_readonly": True}):
            async with database.engine.execution_options(**options).connect() as connection:
                level, readonly = (
                    await connection.execute(
                        text(
                            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
                        )
                    )
                ).one()
                assert level == ("serializable" if "isolation_level" in options else "read committed")
                assert readonly == ("on" if "postgresql_readonly" in options else "off")
                found = await connection.execute(text("SELECT 1 FROM accounts WHERE id = :id"), {"id": account})
                assert found.first() is not None
        async with database.transaction() as unit:
            async with unit.session.begin_nested() as nested:
                await nested.rollback()
            found = await unit.session.execute(text("SELECT 1 FROM accounts WHERE id = :id"), {"id": account})
            assert found.first() is not None


async def test_a_session_for_reading_cannot_write(database: Database) -> None:
    business = new_id()
    with only(business), pytest.raises(DBAPIError, match="read-only"):
        async with database.read() as session:
            await session.execute(INSERT, {"id": new_id(), "business": business})


async def test_children_follow_their_parent(database: Database) -> None:
    business = new_id()
    account, entry = await open_account(database, business), new_id()
    insert = text("INSERT INTO account_entries (id, account_id) VALUES (:id, :account)")
    with only(business):
        async with database.transaction() as unit:
            await unit.session.execute(insert, {"id": entry, "account": account})
    with only(new_id()):
        async with database.read() as session:
            query = text("SELECT id FROM account_entries WHERE id = :id")
            assert (await session.execute(query, {"id": entry})).first() is None
        with pytest.raises(DBAPIError) as refused:
            async with database.transaction() as unit:
                await unit.session.execute(insert, {"id": new_id(), "account": account})
        assert is_row_violation(refused.value)


async def test_what_belongs_to_nobody_is_the_systems(database: Database) -> None:
    insert = text("INSERT INTO rates (id) VALUES (:id)")
    with only(new_id()), pytest.raises(DBAPIError):
        async with database.transaction() as unit:
            await unit.session.execute(insert, {"id": new_id()})
    with everyone():
        async with database.transaction() as unit:
            await unit.session.execute(insert, {"id": new_id()})


async def test_the_owner_is_subject_to_it_too(probe: ServiceUnderTest) -> None:
    account = await open_account(probe.kit.database, new_id())
    assert probe.owner_url is not None
    owner = await asyncpg.connect(probe.owner_url)
    try:
        assert await owner.fetchval("SELECT count(*) FROM accounts WHERE id = $1", account) == 0
        await owner.execute("SELECT set_config('cobro.tenants', '*', false)")
        assert await owner.fetchval("SELECT count(*) FROM accounts WHERE id = $1", account) == 1
    finally:
        await owner.close()


async def test_the_outbox_has_no_side_entrance(database: Database) -> None:
    with everyone():
        async with database.transaction() as unit:
            await unit.session.execute(
                text(
                    "INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type,"
                    " body, headers, occurred_at) VALUES (:id, :id, 'test', :id, 1, 'test.row', '{}', '{}', now())"
                ),
                {"id": new_id()},
            )
        async with database.read() as session:
            partitions = (
                await session.execute(
                    text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass")
                )
            ).scalars()
            for partition in partitions:
                seen = (await session.execute(text(f"SELECT count(*) FROM {partition}"))).scalar_one()
                assert seen == 0, partition
            assert (await session.execute(text("SELECT count(*) FROM outbox"))).scalar_one() > 0
    async with database.transaction() as unit:
        await unit.session.execute(text("SELECT outbox_maintain(7)"))


async def test_every_table_is_closed_or_says_why_not(probe: ServiceUnderTest) -> None:
    assert probe.owner_url is not None
    assert await unsecured(probe.owner_url, exempt=EXEMPT) == []
    owner = await asyncpg.connect(probe.owner_url)
    try:
        await owner.execute("CREATE TABLE forgotten (id int); CREATE TABLE unforced (id int);")
        await owner.execute("ALTER TABLE unforced ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON unforced USING (true);")
        stale = {**EXEMPT, "accounts": "it is secured", "gone": "there is none"}
        assert await unsecured(probe.owner_url, exempt=stale) == ["accounts", "forgotten", "gone", "unforced"]
    finally:
        await owner.execute("DROP TABLE IF EXISTS forgotten, unforced")
        await owner.close()
