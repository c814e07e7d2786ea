"""`python -m auth create-admin`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest
from chassis.testing.service import COMMON
from contracts.events.auth import UserRegistered, UserUpdated

pytestmark = pytest.mark.integration

PASSWORD = "an administrator's password"


async def create_admin(sut: Any, phone: str, password: str = "") -> subprocess.CompletedProcess[str]:
    settings = sut.kit.settings
    environment = {
        **COMMON,
        "PATH": os.environ["PATH"],
        "REDIS_URL": sut.kit.common.redis_url.get_secret_value(),
        "RABBITMQ_URL": sut.kit.common.rabbitmq_url.get_secret_value(),
        "AUTH_HTTP_PORT": "1",
        "AUTH_DATABASE_URL": settings.database_url.get_secret_value(),
        "AUTH_OBJECT_STORE_URL": settings.object_store_url,
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "JWT_REFRESH_SECRET": settings.jwt_refresh_secret.get_secret_value(),
        "PASSWORD_PEPPER": settings.password_pepper.get_secret_value(),
        "AUTH_BCRYPT_COST": "4",
    }
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "auth", "create-admin", "--phone", phone],
        input=password,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_a_new_administrator_with_a_password_from_standard_input(sut: Any, world: Any) -> None:
    phone = world.phone()
    done = await create_admin(sut, phone, f"{PASSWORD}\n")
    assert (done.returncode, done.stderr) == (0, "")
    user = (await world.post("/auth/login", {"phone": phone, "password": PASSWORD})).json()["data"]["user"]
    assert user["role"] == "ADMIN"
    assert done.stdout == f"{user['id']} is an administrator\n"
    assert len(await sut.published(UserRegistered, aggregate_id=user["id"])) == 1
    actions = await world.sql("SELECT action, actor_id FROM audit_entries WHERE subject_id = :id", id=user["id"])
    assert ("admin.created", None) in {tuple(row) for row in actions}


async def test_an_existing_user_is_promoted_once_the_phone_is_proved(sut: Any, world: Any) -> None:
    account = await world.register()
    refused = await create_admin(sut, account.phone)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "has not verified it" in refused.stderr
    await world.verify_phone(account)
    assert (await create_admin(sut, account.phone)).returncode == 0
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
    sut: Any, world: Any, phone: str | None, password: str, reason: str
) -> None:
    [before] = await world.sql("SELECT count(*) AS users FROM users")
    done = await create_admin(sut, phone or world.phone(), password)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert PASSWORD not in done.stderr
    assert [before] == await world.sql("SELECT count(*) AS users FROM users")
