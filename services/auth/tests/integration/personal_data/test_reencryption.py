"""`python -m auth re-encrypt`, as an operator runs it beside the running service."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from auth.models import Base
from chassis.crypto import FieldCipher, key_id_of
from chassis.reencryption import STORED_ANSWERS, sealed_tables
from chassis.tenancy import everyone
from chassis.testing.reencryption import reencrypt_there_and_back
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

# No column of these is an envelope, whatever its name.
_PLACES = {
    "audit_entries": {"details"},
    "branches": {"phone"},
    "businesses": {"email", "legal_name", "phone", "tax_id"},
    "kyc_submissions": {"document_number", "rejection_reason", "tax_id"},
    "memberships": {"first_name", "last_name", "phone"},
    "sessions": {"address"},
    "users": {"email", "first_name", "last_name", "phone"},
}


async def command(vault: Any, keys: str) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "auth", "re-encrypt"),
        env={**inherited, **vault.environment, "FIELD_ENCRYPTION_KEYS": keys},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def use(vault: Any, keys: str) -> None:
    """As if the service had been deployed with these keys."""
    fresh = FieldCipher.parse(keys)
    cipher = vault.sut.context.cipher
    cipher._ciphers, cipher.current_key_id = fresh._ciphers, fresh.current_key_id


@pytest.fixture
def rotation(vault: Any) -> Any:
    """(the keys during a rotation, the new key alone)"""
    new = f"new-{secrets.token_hex(3)}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"
    return f"{new},{vault.environment['FIELD_ENCRYPTION_KEYS']}", new


async def envelopes(vault: Any) -> set[str | None]:
    """The ids of all keys that anything in the database is encrypted under."""
    found: set[str | None] = set()
    with everyone():
        async with vault.sut.kit.database.read() as session:
            for place in [*sealed_tables(Base), STORED_ANSWERS]:
                for column in place.columns:
                    statement = text(f'SELECT {column} FROM "{place.name}" WHERE {column} IS NOT NULL')
                    found |= {key_id_of(value) for value in await session.scalars(statement)}
    return found


def files(documents: Path) -> set[str | None]:
    return {key_id_of(path.read_bytes()) for path in documents.rglob("*") if "blobs" in path.parts and path.is_file()}


def test_every_encrypted_column_is_named() -> None:
    assert {place.name: set(place.columns) for place in sealed_tables(Base)} == _PLACES


async def test_nothing_encrypted_is_left_out(vault: Any) -> None:
    rewritten = await reencrypt_there_and_back(vault.sut)
    assert {place for place, count in rewritten.items() if count} == {*_PLACES, "idempotency_keys"}


async def test_everything_comes_under_the_new_key_while_the_service_runs(vault: Any, rotation: Any) -> None:
    both, new = rotation
    kid = new.partition(":")[0]
    use(vault, both)
    vault.environment["FIELD_ENCRYPTION_KEYS"] = both  # which the next test needs, should this one fail halfway
    stop = asyncio.Event()

    async def go_on() -> str:
        name = ""
        for number in itertools.count():
            name = f"Guadalupe {number}"
            answer = await vault.sut.client.patch(
                "/api/v1/auth/me", json={"firstName": name}, headers=vault.owner.headers
            )
            assert answer.status_code == 200, answer.text
            if stop.is_set():
                break
            # A row found locked in each of five passes is left: without a pause this one would hardly be free.
            await asyncio.sleep(0.1)
        return name

    busy = asyncio.create_task(go_on())
    process = await command(vault, both)
    output, _ = await process.communicate()
    stop.set()
    last = await busy

    assert process.returncode == 0, output.decode()
    assert f"0 values remain under any other key than {kid}" in output.decode()
    assert await envelopes(vault) == {kid}
    assert files(vault.documents) == {kid}
    use(vault, new)
    vault.environment["FIELD_ENCRYPTION_KEYS"] = new
    me = (await vault.world.get("/auth/me", vault.owner.headers)).json()["data"]
    assert (me["firstName"], me["phone"]) == (last, vault.secrets["phone"])
    front = await vault.world.get(f"/kyc/submissions/{vault.submission_id}/documents/front", vault.owner.headers)
    assert front.content == vault.front
    member = {"phone": vault.secrets["employee phone"], "firstName": vault.secrets["employee name"]}
    replayed = await vault.world.post(
        f"/businesses/{vault.business_id}/members",
        member,
        vault.owner.headers | {"Idempotency-Key": vault.member_key},
    )
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert replayed.json()["data"]["phone"] == vault.secrets["employee phone"]
    entries = await _rows(vault, "SELECT action FROM audit_entries WHERE action = 'fields.reencrypted'")
    assert len(entries) >= 1


async def test_killed_it_is_taken_up_and_a_forgotten_key_is_told(vault: Any, rotation: Any) -> None:
    both, new = rotation
    old, kid = vault.environment["FIELD_ENCRYPTION_KEYS"].partition(":")[0], new.partition(":")[0]
    await _many_entries(vault, 12_000)

    process = await command(vault, both)
    assert process.stdout is not None
    # Its first word comes after some thousands of values, with the most of them still to do.
    said = await asyncio.wait_for(process.stdout.readline(), 30)
    process.kill()
    await process.wait()
    assert b"values so far" in said
    half = await _rows(vault, f"SELECT 1 FROM audit_entries WHERE starts_with(details, 'v1.{kid}.')")
    assert 0 < len(half) < 12_000

    without_old = await command(vault, new)
    output, _ = await without_old.communicate()
    assert without_old.returncode == 1
    assert f"values remain under key {old}: it must not be dropped" in output.decode()

    again = await command(vault, both)
    output, _ = await again.communicate()
    assert again.returncode == 0, output.decode()
    assert await envelopes(vault) == {kid}
    use(vault, new)
    vault.environment["FIELD_ENCRYPTION_KEYS"] = new
    me = (await vault.world.get("/auth/me", vault.owner.headers)).json()["data"]
    assert me["phone"] == vault.secrets["phone"]


async def _rows(vault: Any, statement: str) -> list[Any]:
    with everyone():
        async with vault.sut.kit.database.read() as session:
            return list((await session.execute(text(statement))).all())


async def _many_entries(vault: Any, count: int) -> None:
    cipher = FieldCipher.parse(vault.environment["FIELD_ENCRYPTION_KEYS"])
    rows = []
    for _ in range(count):
        entry = new_id()
        rows.append({"id": entry, "details": cipher.encrypt("{}", context=f"audit_entries.details:{entry}")})
    statement = text(
        "INSERT INTO audit_entries (id, occurred_at, action, subject_type, details)"
        " VALUES (:id, now(), 'login.failed', 'login', :details)"
    )
    with everyone():
        async with vault.sut.kit.database.transaction() as unit:
            await unit.session.execute(statement, rows)
