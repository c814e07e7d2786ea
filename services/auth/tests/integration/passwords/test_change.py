"""POST /auth/password/change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from contracts.events.auth import UserPasswordChanged
from kernel import new_id

pytestmark = pytest.mark.integration

PATH = "/auth/password/change"
NEW = "a better battery staple"


async def change(world: Any, account: Any, new_password: str = NEW, **fields: str) -> Any:
    body = {"currentPassword": account.password, "newPassword": new_password, **fields}
    return await world.post(PATH, body, account.headers)


async def state(sut: Any, token: str) -> Any:
    principal = await sut.kit.verifier.verify(token)
    return await sut.kit.cache.redis.get(f"session:{principal.session_id}")


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(sut: Any, world: Any) -> None:
    account = await world.register()
    other = await world.login(account)
    done = await change(world, account)
    assert done.status_code == 200, done.text
    assert await state(sut, other["accessToken"]) == b"0"
    assert (await world.post("/auth/refresh", {"refreshToken": other["refreshToken"]})).status_code == 401
    assert (await world.get("/auth/me", account.headers)).status_code == 200
    assert (await world.post("/auth/refresh", {"refreshToken": account.refresh_token})).status_code == 200
    assert await world.login(replace(account, password=NEW))
    assert (await world.post("/auth/login", {"phone": account.phone, "password": account.password})).status_code == 401


async def test_others_are_told_and_it_is_on_record(sut: Any, world: Any) -> None:
    account = await world.register()
    await world.login(account)
    await change(world, account)
    [event] = await sut.published(UserPasswordChanged, aggregate_id=account.id)
    assert (event.reason, event.aggregate_version) == ("change", 2)
    rows = await world.sql(
        "SELECT action, actor_id FROM audit_entries WHERE subject_id = :id AND action ~ '^(password|session)'"
        " ORDER BY occurred_at, id",
        id=account.id,
    )
    assert [(row.action, row.actor_id) for row in rows] == [
        ("password.changed", account.id),
        ("session.all_ended", account.id),
    ]


async def test_the_current_one_must_be_right(sut: Any, world: Any) -> None:
    account = await world.register()
    refused = await change(world, account, currentPassword="not my password")
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_password")
    assert [error["field"] for error in refused.json()["errors"]] == ["currentPassword"]
    assert await sut.published(UserPasswordChanged, aggregate_id=account.id) == []
    assert await world.login(account)


async def test_guessing_the_current_one_is_slowed_down(world: Any, later: Any) -> None:
    account = await world.register()
    answers = [await change(world, account, currentPassword=f"not my password {n}") for n in range(5)]
    assert {answer.status_code for answer in answers} == {422}
    refused = await change(world, account)
    assert (refused.status_code, refused.json()["code"]) == (429, "attempts_throttled")
    assert refused.headers["Retry-After"] == "1"
    assert await world.login(account), "which keeps nobody from logging in"
    with later(timedelta(seconds=1)):
        assert (await change(world, account)).status_code == 200


@pytest.mark.parametrize("weak", ["12345678", "short", "x" * 257, "correct horse battery"])
async def test_the_new_one_must_be_good_and_another(world: Any, weak: str) -> None:
    account = await world.register()
    refused = await change(world, account, weak)
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["newPassword"]
    assert weak not in refused.text
    assert (await change(world, account, account.phone)).status_code == 400


async def test_of_two_at_once_one_wins(sut: Any, world: Any) -> None:
    account = await world.register()
    answers = await asyncio.gather(*(change(world, account, f"{NEW} {number}") for number in range(4)))
    won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 200} == {"wrong_password"}
    assert await world.login(replace(account, password=f"{NEW} {won[0]}"))


async def test_sent_again_with_its_key_it_gives_its_answer_again(sut: Any, world: Any) -> None:
    account = await world.register()
    headers = {**account.headers, "Idempotency-Key": str(new_id())}
    body = {"currentPassword": account.password, "newPassword": NEW}
    first, again = [await world.post(PATH, body, headers) for _ in range(2)]
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await sut.published(UserPasswordChanged, aggregate_id=account.id)) == 1


async def test_a_code_that_was_asked_for_before_undoes_nothing(world: Any, code_of: Any) -> None:
    account = await world.register()
    await world.post("/auth/password/forgot", {"phone": account.phone})
    code = (await code_of(account)).code
    await change(world, account)
    body = {"phone": account.phone, "code": code, "newPassword": "yet another password"}
    assert (await world.post("/auth/password/reset", body)).json()["code"] == "code_invalid"


async def test_a_session_is_needed(world: Any) -> None:
    account = await world.register()
    body = {"currentPassword": account.password, "newPassword": NEW}
    assert (await world.post(PATH, body)).json()["code"] == "token_missing"
    await world.post("/auth/logout", headers=account.headers)
    assert (await world.post(PATH, body, account.headers)).status_code == 401


@pytest.mark.parametrize("body", [{}, {"currentPassword": ""}, {"newPassword": NEW}, {"currentPassword": 1}, []])
async def test_bad_input_is_a_400(world: Any, body: Any) -> None:
    account = await world.register()
    assert (await world.post(PATH, body, account.headers)).status_code == 400
