"""POST /auth/login."""

from __future__ import annotations

import asyncio
import time
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
    slow = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=11, threads=1, queue=2)
    bodies = [{"phone": world.phone(), "password": "not my password"} for _ in range(12)]
    with altered(passwords=slow):
        answers = await asyncio.gather(*(world.post("/auth/login", body) for body in bodies))
    await slow.close()
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("login_busy", "2"), refused.text


async def test_a_flood_of_logins_leaves_the_service_responsive(sut: Any, world: Any, altered: Any) -> None:
    account = await world.register()
    slow = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=10, threads=2, queue=24)
    with altered(passwords=slow):
        bodies = [{"phone": world.phone(), "password": "not my password"} for _ in range(40)]
        flood = asyncio.gather(*(world.post("/auth/login", body) for body in bodies))
        answered = 0
        while not flood.done():
            assert (await world.get("/auth/me", account.headers)).status_code == 200
            answered += 1
            await asyncio.sleep(0.01)
        statuses = [answer.status_code for answer in await flood]
    await slow.close()
    assert set(statuses) == {401, 429}
    assert answered >= 5, "others are answered while passwords are looked at"


async def test_what_was_tried_and_what_succeeded_is_on_record(world: Any, address: str) -> None:
    account, stranger = await world.register(), world.phone()
    await world.post("/auth/login", {"phone": account.phone, "password": "not my password"})
    await world.login(account)
    rows = await world.sql(
        "SELECT action, actor_id, session_id, (a.*)::text AS dump FROM audit_entries a"
        " WHERE subject_type = 'login' AND subject_id = :id ORDER BY occurred_at, id",
        id=account.id,
    )
    assert [(row.action, row.actor_id) for row in rows] == [
        ("login.failed", None),
        ("login.succeeded", account.id),
    ]
    assert rows[1].session_id is not None
    # Not by time: other tests of this database move the service's clock.
    before = [row.id for row in await world.sql("SELECT id FROM audit_entries")]
    await world.post("/auth/login", {"phone": stranger, "password": "not my password"})
    [unknown] = await world.sql(
        "SELECT subject_id, (a.*)::text AS dump FROM audit_entries a"
        " WHERE action = 'login.failed' AND id <> ALL(:before)",
        before=before,
    )
    assert unknown.subject_id is None
    dump = str(rows) + unknown.dump
    for secret in (account.phone, stranger, address, "not my password", account.password):
        assert secret not in dump


async def test_the_cost_of_a_hash_does_not_tell_who_is_registered(sut: Any, world: Any, altered: Any) -> None:
    """Cost 10 now, 4 before: the answers differ in nothing, and not in their time. A hash of cost 4 answers ten times
    sooner; the bounds leave room for a busy machine."""
    old = await world.register()
    hasher = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=10, threads=1, queue=9)

    async def least(phone: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            answer = await world.post("/auth/login", {"phone": phone, "password": "not my password"})
            times.append(time.perf_counter() - started)
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        return min(times)

    with altered(passwords=hasher):
        new = await world.register()
        known, renewed, unknown = [await least(phone) for phone in (old.phone, new.phone, world.phone())]
    await hasher.close()
    assert 0.35 < known / unknown < 3
    assert 0.35 < renewed / unknown < 3
