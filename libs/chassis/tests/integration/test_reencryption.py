"""Values under an old key come under the current one, whatever else is done to their rows meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Principal
from chassis.crypto import FieldCipher
from chassis.database import Database, UnitOfWork
from chassis.database.idempotency import Answer, Idempotency, IdempotencyScope
from chassis.http.schemas import ResponseModel
from chassis.reencryption import STORED_ANSWERS, SealedTable, reencrypt, sealed_tables
from chassis.runtime import Kit, Service
from chassis.settings import ServiceSettings
from chassis.tenancy import everyone
from chassis.testing.service import running_service
from chassis.testing.tokens import make_principal
from kernel import new_id
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Column, MetaData, Table, Uuid, text
from sqlalchemy import Text as SqlText
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

pytestmark = pytest.mark.integration

OLD = FieldCipher({"old": b"o" * 32})
BOTH = FieldCipher({"new": b"n" * 32, "old": b"o" * 32})
NEW = FieldCipher({"new": b"n" * 32})

notes = SealedTable(
    Table("notes", MetaData(), Column("id", Uuid, primary_key=True), Column("text", SqlText, nullable=False)), ("text",)
)


class ProbeSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PROBE_", extra="ignore", frozen=True, env_file=None)


async def _build(kit: Kit[Any]) -> Service:
    return Service(context=kit)


@pytest.fixture(scope="module")
async def service_database() -> AsyncIterator[Database]:
    """A database for this file alone: what is counted in it is what these tests put there."""
    migrations = Path(__file__).parent / "migrations"
    async with running_service("probe", ProbeSettings, _build, migrations=migrations) as sut:
        yield sut.kit.database


@pytest.fixture
async def database(service_database: Database) -> AsyncIterator[Database]:
    with everyone():
        async with service_database.transaction() as unit:
            await unit.session.execute(text("DELETE FROM notes"))
            await unit.session.execute(text("DELETE FROM idempotency_keys"))
        yield service_database


def place(note_id: UUID) -> str:
    return f"notes.text:{note_id}"


async def write(database: Database, count: int, cipher: FieldCipher = OLD) -> dict[UUID, str]:
    plain = {new_id(): f"secret {number}" for number in range(count)}
    rows = [{"id": key, "text": cipher.encrypt(value, context=place(key))} for key, value in plain.items()]
    async with database.transaction() as unit:
        await unit.session.execute(text("INSERT INTO notes (id, text) VALUES (:id, :text)"), rows)
    return plain


async def read(database: Database) -> dict[UUID, str]:
    async with database.read() as session:
        return {row.id: row.text for row in await session.execute(text("SELECT id, text FROM notes"))}


async def test_everything_comes_under_the_current_key(database: Database) -> None:
    plain = await write(database, 1203) | await write(database, 5, BOTH)
    lines: list[str] = []

    outcome = await reencrypt(database, BOTH, [notes], lines.append)

    assert outcome.is_complete
    assert outcome.rewritten == {"notes": 1203}
    stored = await read(database)
    assert {key: NEW.decrypt(value, context=place(key)) for key, value in stored.items()} == plain
    assert lines[-1].startswith("0 values remain")
    again = await reencrypt(database, BOTH, [notes], lines.append)
    assert again.is_complete
    assert again.rewritten == {"notes": 0}


async def test_an_empty_table_is_complete(database: Database) -> None:
    assert (await reencrypt(database, BOTH, [notes], lambda _: None)).is_complete


async def test_no_change_made_meanwhile_is_undone(database: Database) -> None:
    """The service, which has both keys, goes on changing the same rows all the time."""
    plain = await write(database, 1500)
    expected = dict(plain)
    done = asyncio.Event()

    async def go_on(keys: list[UUID]) -> None:
        for number in itertools.count():
            if done.is_set():
                return
            key = keys[number % len(keys)]

            async def work(unit: UnitOfWork, key: UUID = key, number: int = number) -> None:
                value = f"changed {number}"
                sealed = BOTH.encrypt(value, context=place(key))
                change = text("UPDATE notes SET text = :text WHERE id = :id")
                await unit.session.execute(change, {"text": sealed, "id": key})
                expected[key] = value

            await database.run(work)

    keys = list(plain)
    writers = [asyncio.create_task(go_on(keys[part::2])) for part in range(2)]
    outcome = await reencrypt(database, BOTH, [notes], lambda _: None)
    done.set()
    await asyncio.gather(*writers)

    assert outcome.is_complete
    stored = await read(database)
    assert {key: NEW.decrypt(value, context=place(key)) for key, value in stored.items()} == expected


async def test_a_row_that_is_locked_is_not_waited_for_but_comes_in_a_later_pass(database: Database) -> None:
    plain = await write(database, 700)
    held = next(iter(plain))
    others_done = asyncio.Event()

    async def hold() -> None:
        async with database.transaction() as unit:
            await unit.session.execute(text("SELECT 1 FROM notes WHERE id = :id FOR UPDATE"), {"id": held})
            locked.set()
            await others_done.wait()

    locked = asyncio.Event()
    holder = asyncio.create_task(hold())
    await locked.wait()

    counted = 0

    class Watched(SealedTable):
        async def reencrypt(self, database: Database, cipher: FieldCipher, progress: Any) -> None:
            nonlocal counted

            def seen(count: int) -> None:
                nonlocal counted
                counted += count
                if counted == len(plain) - 1:
                    others_done.set()
                progress(count)

            await SealedTable.reencrypt(self, database, cipher, seen)

    outcome = await reencrypt(database, BOTH, [Watched(notes.table, notes.columns)], lambda _: None)
    await holder
    assert outcome.is_complete
    assert outcome.rewritten == {"notes": 700}


async def test_killed_half_way_it_is_taken_up_where_it_stopped(database: Database) -> None:
    plain = await write(database, 2600)

    class Killed(Exception):
        pass

    def kill(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        await notes.reencrypt(database, BOTH, kill)
    half = await notes.remaining(database, BOTH)
    assert 0 < half["old"] < 2600

    outcome = await reencrypt(database, BOTH, [notes], lambda _: None)

    assert outcome.rewritten == {"notes": half["old"]}
    stored = await read(database)
    assert {key: NEW.decrypt(value, context=place(key)) for key, value in stored.items()} == plain


async def test_what_does_not_decrypt_stays_as_it_is_and_is_told(database: Database) -> None:
    await write(database, 3)
    moved, foreign = new_id(), new_id()
    strange = {
        moved: OLD.encrypt("of another row", context=place(new_id())),
        foreign: FieldCipher({"gone": b"g" * 32}).encrypt("x", context=place(foreign)),
        new_id(): "never encrypted",
    }
    async with database.transaction() as unit:
        rows = [{"id": key, "text": value} for key, value in strange.items()]
        await unit.session.execute(text("INSERT INTO notes (id, text) VALUES (:id, :text)"), rows)
    lines: list[str] = []

    outcome = await reencrypt(database, BOTH, [notes], lines.append)

    assert not outcome.is_complete
    assert outcome.remaining == {"old": 1, "gone": 1, "?": 1}
    assert strange.items() <= (await read(database)).items()
    assert any("1 values remain under key old" in line for line in lines)
    assert not any("never encrypted" in line for line in lines)


class Kept(ResponseModel):
    name: str


async def test_stored_answers_can_still_be_replayed(database: Database) -> None:
    caller: Principal = make_principal()
    scopes = [IdempotencyScope(caller.user_id, f"POST /r/{n % 3}", f"key-{n:08}", b"f") for n in range(600)]

    async def work(_: UnitOfWork) -> Kept:
        return Kept(name="Lupita")

    for scope in scopes:
        await Idempotency(database, OLD).run(scope, work)

    outcome = await reencrypt(database, BOTH, [STORED_ANSWERS], lambda _: None)

    assert outcome.is_complete
    assert outcome.rewritten == {"idempotency_keys": 600}
    for scope in scopes[::97]:
        answer = await Idempotency(database, NEW).run(scope, work)
        assert answer == Answer(201, b'{"name":"Lupita"}', replayed=True)


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "persons"
    SEALED = frozenset({"name", "email"})
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)


def test_models_name_their_encrypted_columns_themselves() -> None:
    assert [(place.name, place.columns) for place in sealed_tables(Base)] == [("persons", ("email", "name"))]
