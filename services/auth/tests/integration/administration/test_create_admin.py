"""`python -m auth create-admin`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from auth.commands.create_admin import CREATE_ADMIN
from contracts.events.auth import UserRegistered, UserUpdated

pytestmark = pytest.mark.integration

PASSWORD = "an administrator's password"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def create_admin(
    sut: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Awaitable[Done]]:
    """The command with `typed` as its standard input, in a loop and with connections of its own."""

    async def run(phone: str, typed: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        capsys.readouterr()
        code = await asyncio.to_thread(CREATE_ADMIN.run, sut.kit.settings, Namespace(phone=phone))
        return Done(code, *capsys.readouterr())

    return run


async def test_the_command_line_knows_it() -> None:
    command = [sys.executable, "-m", "auth", "create-admin", "--help"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=60)
    assert "--phone" in done.stdout
    assert "password" not in done.stdout.partition("options:")[2]


async def test_a_new_administrator_with_a_password_from_standard_input(sut: Any, world: Any, create_admin: Any) -> None:
    phone = world.phone()
    done = await create_admin(phone, f"{PASSWORD}\n")
    assert (done.code, done.err) == (0, "")
    user = (await world.post("/auth/login", {"phone": phone, "password": PASSWORD})).json()["data"]["user"]
    assert user["role"] == "ADMIN"
    assert done.out == f"{user['id']} is an administrator\n"
    assert len(await sut.published(UserRegistered, aggregate_id=user["id"])) == 1
    actions = await world.sql("SELECT action, actor_id FROM audit_entries WHERE subject_id = :id", id=user["id"])
    assert ("admin.created", None) in {tuple(row) for row in actions}


async def test_an_existing_user_is_promoted_once_the_phone_is_proved(sut: Any, world: Any, create_admin: Any) -> None:
    account = await world.register()
    refused = await create_admin(account.phone)
    assert (refused.code, refused.out) == (1, "")
    assert "has not verified it" in refused.err
    await world.verify_phone(account)
    assert (await create_admin(account.phone)).code == 0
    assert (await world.get("/auth/me", account.headers)).json()["code"] == "token_stale"
    assert (await world.get("/users", (await world.refresh(account)).headers)).status_code == 200
    assert [event.role for event in await sut.published(UserUpdated, aggregate_id=account.id)] == ["ADMIN"]


@pytest.mark.parametrize(
    ("phone", "password", "reason"),
    [
        ("5512345678", PASSWORD, "the phone must be in E.164 form"),
        (None, "", "at least 8 characters"),
        (None, "password\n", "one of the most common passwords"),
    ],
)
async def test_what_is_refused_creates_nobody(
    world: Any, create_admin: Any, phone: str | None, password: str, reason: str
) -> None:
    [before] = await world.sql("SELECT count(*) AS users FROM users")
    done = await create_admin(phone or world.phone(), password)
    assert (done.code, done.out) == (1, "")
    assert reason in done.err
    assert PASSWORD not in done.err
    assert [before] == await world.sql("SELECT count(*) AS users FROM users")
