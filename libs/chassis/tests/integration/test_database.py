import asyncio

import pytest
from chassis.database import Database, UnitOfWork
from kernel import new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration


async def insert(unit: UnitOfWork, note: str) -> None:
    await unit.session.execute(text("INSERT INTO notes (id, text) VALUES (:id, :text)"), {"id": new_id(), "text": note})


async def count(database: Database, note: str) -> int:
    async with database.read() as session:
        return int(
            (await session.execute(text("SELECT count(*) FROM notes WHERE text = :t"), {"t": note})).scalar_one()
        )


async def test_an_exception_rolls_everything_back(database: Database) -> None:
    note = str(new_id())

    async def failing() -> None:
        async with database.transaction() as unit:
            await insert(unit, note)
            raise LookupError

    with pytest.raises(LookupError):
        await failing()
    assert await count(database, note) == 0


async def test_deadlocks_are_run_again(database: Database) -> None:
    first, second = new_id(), new_id()
    async with database.transaction() as unit:
        for identifier in (first, second):
            await unit.session.execute(text("INSERT INTO notes (id, text) VALUES (:id, 'x')"), {"id": identifier})
    both_hold_one = asyncio.Barrier(2)
    tries = 0

    async def lock(order: list[object]) -> None:
        async def work(unit: UnitOfWork) -> None:
            nonlocal tries
            tries += 1
            update = text("UPDATE notes SET text = text || 'y' WHERE id = :id")
            await unit.session.execute(update, {"id": order[0]})
            if tries <= 2:
                await both_hold_one.wait()
            await unit.session.execute(update, {"id": order[1]})

        await database.run(work)

    await asyncio.gather(lock([first, second]), lock([second, first]))

    assert tries >= 3
    async with database.read() as session:
        rows = (
            await session.execute(text("SELECT text FROM notes WHERE id IN (:a, :b)"), {"a": first, "b": second})
        ).all()
    assert [row.text for row in rows] == ["xyy", "xyy"]


async def test_the_application_role_owns_nothing(database: Database) -> None:
    for statement in ("DROP TABLE notes", "ALTER TABLE notes ADD COLUMN x int", "CREATE TABLE mine (id int)"):
        async with database.autocommit() as connection:
            with pytest.raises(DBAPIError, match=r"must be owner|permission denied"):
                await connection.execute(text(statement))


async def test_the_outbox_is_partitioned_and_maintained_by_the_application_role(database: Database) -> None:
    async with database.autocommit() as connection:
        await connection.execute(text("SELECT outbox_maintain(7)"))
        partitions = await connection.execute(
            text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'outbox'::regclass")
        )
        assert partitions.scalar_one() >= 3
