"""POST /auth/login."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from auth.passwords.hashing import PasswordHasher
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_each_login_is_a_session_of_its_own(sut: Any, world: Any) -> None:
    account = await world.register()
    first, second = await world.login(account), await world.login(account)
    assert first["user"]["id"] == second["user"]["id"] == str(account.id)
    sessions = [await sut.kit.verifier.verify(answer["accessToken"]) for answer in (first, second)]
    assert sessions[0].session_id != sessions[1].session_id


async def test_the_token_carries_what_the_user_belongs_to(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    await world.employ(business["id"], employee, [branch["id"]])
    principal = await sut.kit.verifier.verify((await world.login(owner))["accessToken"])
    assert [(str(m.business_id), m.role) for m in principal.memberships.values()] == [(business["id"], "OWNER")]
    principal = await sut.kit.verifier.verify((await world.login(employee))["accessToken"])
    [membership] = principal.memberships.values()
    assert (membership.role, [str(id) for id in membership.branch_ids]) == ("EMPLOYEE", [branch["id"]])


async def test_unknown_phone_and_wrong_password_answer_alike(world: Any) -> None:
    account = await world.register()
    wrong = await world.post("/auth/login", {"phone": account.phone, "password": "not my password"})
    unknown = await world.post("/auth/login", {"phone": world.phone(), "password": "not my password"})
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    assert wrong.json()["code"] == "invalid_credentials"


async def test_the_old_mexican_form_of_a_phone_is_the_same_phone(world: Any) -> None:
    account = await world.register()
    assert await world.login(replace(account, phone=account.phone.replace("+52", "+521", 1)))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "+525512345678"},
        {"phone": "x", "password": "y"},
        {"phone": "+525512345678", "password": ""},
        {"phone": "+525512345678", "password": "p" * 257},
        {"phone": {"$ne": ""}, "password": {"$ne": ""}},
        {"phone": "+525512345678", "password": "p", "remember": True},
    ],
)
async def test_bad_input_is_a_400(world: Any, body: dict[str, Any]) -> None:
    answer = await world.post("/auth/login", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_a_repeated_login_is_one_session_for_whoever_has_the_password(world: Any) -> None:
    account = await world.register()
    body = {"phone": account.phone, "password": account.password}
    key = {"Idempotency-Key": str(new_id())}
    first, again = [await world.post("/auth/login", body, key) for _ in range(2)]
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    thief = await world.post("/auth/login", {**body, "password": "not my password"}, key)
    assert thief.status_code == 401
    assert len(await world.sql("SELECT id FROM sessions WHERE user_id = :id", id=account.id)) == 2  # one by registering


async def test_a_bad_idempotency_key_is_a_400(world: Any) -> None:
    account = await world.register()
    body = {"phone": account.phone, "password": account.password}
    answer = await world.post("/auth/login", body, {"Idempotency-Key": "short"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


async def test_a_hash_of_another_cost_is_renewed_by_logging_in(sut: Any, world: Any, altered: Any) -> None:
    account = await world.register()
    [before] = await world.sql("SELECT password_hash FROM users WHERE id = :id", id=account.id)
    stronger = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=5, threads=1, queue=4)
    with altered(passwords=stronger):
        await world.login(account)
    await stronger.close()
    [after] = await world.sql("SELECT password_hash FROM users WHERE id = :id", id=account.id)
    assert before.password_hash.startswith("$2b$04$")
    assert after.password_hash.startswith("$2b$05$")
    assert await world.login(account)


async def test_more_logins_than_can_wait_are_told_to_come_back(sut: Any, world: Any, altered: Any) -> None:
    account = await world.register()
    slow = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=9, threads=1, queue=2)
    body = {"phone": account.phone, "password": "not my password"}
    with altered(passwords=slow):
        answers = await asyncio.gather(*(world.post("/auth/login", body) for _ in range(12)))
    await slow.close()
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("login_busy", "2")
