"""POST /auth/password/forgot and /auth/password/reset."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from auth.passwords.hashing import PasswordHasher
from contracts.events.auth import UserCodeRequested, UserPasswordChanged, UserUpdated
from kernel import new_id

pytestmark = pytest.mark.integration

FORGOT, RESET = "/auth/password/forgot", "/auth/password/reset"
NEW = "a better battery staple"
SOMEWHERE = {"X-Forwarded-For": "192.0.2.77"}


def email() -> str:
    return f"e{new_id()}@example.com"


async def forget(world: Any, **named: str) -> Any:
    return await world.post(FORGOT, named)


async def reset(world: Any, code: str, new_password: str = NEW, **named: str) -> Any:
    return await world.post(RESET, {**named, "code": code, "newPassword": new_password})


async def verified_email(world: Any) -> tuple[Any, str]:
    address = email()
    account = await world.register(email=address)
    await world.sql("UPDATE users SET email_verified_at = now() WHERE id = :id RETURNING id", id=account.id)
    return account, address


async def requested(sut: Any, account: Any) -> list[UserCodeRequested]:
    return [event for event in await sut.published(UserCodeRequested) if event.user_id == account.id]


async def state(sut: Any, token: str) -> Any:
    principal = await sut.kit.verifier.verify(token)
    return await sut.kit.cache.redis.get(f"session:{principal.session_id}")


async def test_a_forgotten_password_is_replaced_and_every_session_ends(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    other = await world.login(account)
    asked = await forget(world, phone=account.phone)
    assert asked.status_code == 202
    assert set(asked.json()["data"]) == {"channel", "expiresAt", "resendAfter"}
    code = await code_of(account)
    assert (code.channel, code.recipient, code.purpose) == ("sms", account.phone, "password_reset")
    done = await reset(world, code.code, phone=account.phone)
    assert done.status_code == 200, done.text
    assert done.json()["data"]["changedAt"]
    assert (await world.post("/auth/login", {"phone": account.phone, "password": account.password})).status_code == 401
    assert await world.login(replace(account, password=NEW))
    for token in (account.access_token, other["accessToken"]):
        assert await state(sut, token) == b"0", "the gateway knows at once"
    for token in (account.refresh_token, other["refreshToken"]):
        assert (await world.post("/auth/refresh", {"refreshToken": token})).status_code == 401
    reasons = await world.sql(
        "SELECT DISTINCT end_reason FROM sessions WHERE user_id = :id AND ended_at IS NOT NULL", id=account.id
    )
    assert [row.end_reason for row in reasons] == ["password_reset"]


async def test_others_are_told_and_it_is_on_record(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    await forget(world, phone=account.phone)
    await reset(world, (await code_of(account)).code, phone=account.phone)
    [event] = await sut.published(UserPasswordChanged, aggregate_id=account.id)
    assert event.reason == "reset"
    [updated] = await sut.published(UserUpdated, aggregate_id=account.id)
    assert updated.changed == ("phone_verified",), "who read the message has the phone"
    assert event.aggregate_version == updated.aggregate_version + 1
    rows = await world.sql(
        "SELECT action, details FROM audit_entries WHERE subject_id = :id ORDER BY occurred_at, id", id=account.id
    )
    actions = [row.action for row in rows]
    assert [action for action in actions if action.startswith(("password.", "session."))] == [
        "password.reset_requested",
        "password.reset",
        "session.all_ended",
    ]


async def test_by_email(world: Any, code_of: Any) -> None:
    account, address = await verified_email(world)
    assert (await forget(world, email=address.upper())).json()["data"]["channel"] == "email"
    code = await code_of(account)
    assert (code.channel, code.recipient) == ("email", address)
    assert (await reset(world, code.code, phone=account.phone)).json()["code"] == "code_invalid", "not what was named"
    assert (await reset(world, code.code, email=address)).status_code == 200
    assert await world.login(replace(account, password=NEW))


async def test_named_by_the_phone_and_sent_by_email(world: Any, code_of: Any) -> None:
    account, address = await verified_email(world)
    await forget(world, phone=account.phone, channel="email")
    code = await code_of(account)
    assert code.recipient == address
    assert (await reset(world, code.code, phone=account.phone)).status_code == 200


async def test_nothing_is_sent_to_an_email_address_that_was_not_verified(sut: Any, world: Any) -> None:
    address = email()
    account = await world.register(email=address)
    for named in (
        {"email": address},
        {"email": address, "channel": "sms"},
        {"phone": account.phone, "channel": "email"},
    ):
        assert (await forget(world, **named)).status_code in {202, 429}
    assert await requested(sut, account) == []


async def test_nobody_can_tell_who_is_registered(sut: Any, world: Any) -> None:
    account, other, (_, address) = await world.register(), await world.register(), await verified_email(world)
    pairs = [
        ({"phone": account.phone}, {"phone": world.phone()}),
        ({"email": address}, {"email": email()}),
        ({"phone": other.phone, "channel": "email"}, {"phone": world.phone(), "channel": "email"}),
    ]
    for somebody, nobody in pairs:
        answers = [(await forget(world, **somebody), await forget(world, **nobody)) for _ in range(2)]
        for ours, theirs in answers:
            assert ours.status_code == theirs.status_code
            assert {**ours.json(), "requestId": ""} == {**theirs.json(), "requestId": ""}
            assert ours.headers.get("Retry-After") == theirs.headers.get("Retry-After")
        names = [{key: value for key, value in named.items() if key != "channel"} for named in (somebody, nobody)]
        wrong = [await reset(world, "000000", **named) for named in names]
        assert {answer.status_code for answer in wrong} == {422}
        assert len({str({**answer.json(), "requestId": ""}) for answer in wrong}) == 1


async def test_nor_by_the_time_of_the_answer(world: Any) -> None:
    async def median(phones: list[str]) -> float:
        times = []
        for phone in phones:
            started = time.perf_counter()
            assert (await forget(world, phone=phone)).status_code == 202
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    somebody = await median([(await world.register()).phone for _ in range(7)])
    nobody = await median([world.phone() for _ in range(7)])
    assert somebody >= 0.1
    assert nobody >= 0.1
    assert abs(somebody - nobody) < 0.05


async def test_nobody_is_sent_nothing_and_no_code_works_for_them(sut: Any, world: Any) -> None:
    phone, before = world.phone(), len(await sut.published(UserCodeRequested))
    await forget(world, phone=phone)
    assert len(await sut.published(UserCodeRequested)) == before
    [row] = await world.sql(
        "SELECT id, user_id FROM one_time_codes WHERE target_index = :index", index=sut.context.phone_index(phone)
    )
    assert row.user_id is None
    answer = await reset(world, sut.context.codes.of(row.id), phone=phone)
    assert (answer.status_code, answer.json()["code"]) == (422, "code_invalid")


async def test_a_code_works_once_and_ten_at_once_change_one_password(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    await forget(world, phone=account.phone)
    code = (await code_of(account)).code
    answers = await asyncio.gather(*(reset(world, code, f"{NEW} {n}", phone=account.phone) for n in range(10)))
    won = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} <= {200, 422, 429}
    assert await world.login(replace(account, password=f"{NEW} {won[0]}"))
    assert len(await sut.published(UserPasswordChanged, aggregate_id=account.id)) == 1


async def test_sent_again_with_its_key_it_gives_its_answer_again(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    key = {"Idempotency-Key": str(new_id())}
    asked = [await world.post(FORGOT, {"phone": account.phone}, key) for _ in range(2)]
    assert asked[0].content == asked[1].content
    body = {"phone": account.phone, "code": (await code_of(account)).code, "newPassword": NEW}
    first, again = [await world.post(RESET, body, key) for _ in range(2)]
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await sut.published(UserPasswordChanged, aggregate_id=account.id)) == 1


async def test_five_wrong_codes_are_all(world: Any, code_of: Any) -> None:
    account = await world.register()
    await forget(world, phone=account.phone)
    code = (await code_of(account)).code
    for by in range(1, 6):
        wrong = f"{(int(code) + by) % 10**6:06}"
        assert (await reset(world, wrong, phone=account.phone)).json()["code"] == "code_invalid"
    refused = await world.post(RESET, {"phone": account.phone, "code": code, "newPassword": NEW})
    assert (refused.status_code, refused.json()["code"]) == (429, "attempts_throttled")
    elsewhere = await world.post(RESET, {"phone": account.phone, "code": code, "newPassword": NEW}, SOMEWHERE)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "code_invalid")


async def test_a_weak_password_does_not_cost_the_code(world: Any, code_of: Any) -> None:
    account, address = await verified_email(world)
    await forget(world, email=address)
    code = (await code_of(account)).code
    for weak in ("12345678", "short", account.phone, "x" * 257):
        answer = await reset(world, code, weak, email=address)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["newPassword"]
    assert (await reset(world, code, email=address)).status_code == 200


async def test_a_busy_hasher_does_not_cost_the_code(sut: Any, world: Any, code_of: Any, altered: Any) -> None:
    account = await world.register()
    await forget(world, phone=account.phone)
    code = (await code_of(account)).code
    full = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=13, threads=1, queue=1)
    with altered(passwords=full):
        waiting = [asyncio.create_task(world.register()) for _ in range(2)]
        await asyncio.sleep(0.02)
        busy = await reset(world, code, phone=account.phone)
        await asyncio.gather(*waiting)
    await full.close()
    assert (busy.status_code, busy.json()["code"]) == (429, "login_busy")
    assert (await reset(world, code, phone=account.phone)).status_code == 200


@pytest.mark.parametrize("known", [True, False])
async def test_how_often_one_may_ask(world: Any, later: Any, known: bool) -> None:
    phone = (await world.register()).phone if known else world.phone()
    for number in range(5):
        with later(timedelta(seconds=60 * number)):
            assert (await forget(world, phone=phone)).status_code == 202
            again = await forget(world, phone=phone)
            assert (again.status_code, again.json()["code"]) == (429, "code_throttled")
    with later(timedelta(seconds=300)):
        assert (await forget(world, phone=phone)).headers["Retry-After"] == "3300"


async def test_a_users_own_limit_is_kept_without_being_told(sut: Any, world: Any, later: Any) -> None:
    account, address = await verified_email(world)
    for number in range(5):
        with later(timedelta(seconds=61 * number)):
            assert (await forget(world, phone=account.phone)).status_code == 202
            assert (await forget(world, phone=account.phone, channel="email")).status_code == 429
            assert (await forget(world, email=address)).status_code == 202
    assert len(await requested(sut, account)) == 10
    with later(timedelta(seconds=400)):
        verification = await world.post("/auth/verification", {"channel": "sms"}, account.headers)
        assert verification.json()["code"] == "code_throttled"


async def test_one_address_cannot_have_codes_sent_to_everybody(world: Any) -> None:
    answers = [await forget(world, phone=world.phone()) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [202] * 20
    # The first waits are of a second and two, which a busy machine may take for the next request.
    for _ in range(10):
        answer = await forget(world, phone=world.phone())
        if answer.status_code != 202:
            break
    assert (answer.status_code, answer.json()["code"]) == (429, "attempts_throttled")


async def test_a_verification_code_resets_nothing(world: Any, code_of: Any) -> None:
    account = await world.register()
    await world.post("/auth/verification", {"channel": "sms"}, account.headers)
    code = (await code_of(account)).code
    assert (await reset(world, code, phone=account.phone)).json()["code"] == "code_invalid"


async def test_a_code_dies_with_the_email_address_it_was_sent_to(sut: Any, world: Any, code_of: Any) -> None:
    account, _ = await verified_email(world)
    await forget(world, phone=account.phone, channel="email")
    code = (await code_of(account)).code
    await sut.client.patch("/api/v1/auth/me", json={"email": email()}, headers=account.headers)
    assert (await reset(world, code, phone=account.phone)).json()["code"] == "code_invalid"


async def test_a_login_that_was_under_way_does_not_outlive_the_reset(world: Any, code_of: Any) -> None:
    account = await world.register()
    await forget(world, phone=account.phone)
    code = (await code_of(account)).code
    logins = [world.post("/auth/login", {"phone": account.phone, "password": account.password}) for _ in range(4)]
    done, *answers = await asyncio.gather(reset(world, code, phone=account.phone), *logins)
    assert done.status_code == 200
    for answer in answers:
        if answer.status_code == 200:
            token = answer.json()["data"]["refreshToken"]
            assert (await world.post("/auth/refresh", {"refreshToken": token})).status_code == 401


async def test_who_was_kept_out_comes_in_with_the_new_password(world: Any, code_of: Any) -> None:
    account = await world.register()
    for _ in range(5):
        await world.post("/auth/login", {"phone": account.phone, "password": "not my password"})
    kept_out = await world.post("/auth/login", {"phone": account.phone, "password": account.password})
    assert kept_out.status_code == 429
    await forget(world, phone=account.phone)
    assert (await reset(world, (await code_of(account)).code, phone=account.phone)).status_code == 200
    assert await world.login(replace(account, password=NEW))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (FORGOT, {}),
        (FORGOT, {"phone": "x"}),
        (FORGOT, {"phone": "+525512345678", "email": "a@example.com"}),
        (FORGOT, {"phone": "+525512345678", "channel": "fax"}),
        (FORGOT, {"phone": {"$ne": ""}}),
        (RESET, {"phone": "+525512345678", "newPassword": NEW}),
        (RESET, {"code": "123456", "newPassword": NEW}),
        (RESET, {"phone": "+525512345678", "code": "12 456", "newPassword": NEW}),
        (RESET, {"phone": "+525512345678", "code": "123456", "newPassword": "short"}),
        (RESET, {"email": "a@example.com", "phone": "+525512345678", "code": "123456", "newPassword": NEW}),
    ],
)
async def test_bad_input_is_a_400(world: Any, path: str, body: dict[str, Any]) -> None:
    answer = await world.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_a_stored_answer_does_not_give_away_the_phone(world: Any) -> None:
    import hashlib

    import orjson

    key, body = str(new_id()), {"phone": world.phone()}
    assert (await world.post(FORGOT, body, {"Idempotency-Key": key})).status_code == 202
    plain = hashlib.sha256(b"/api/v1/auth/password/forgot?\n" + orjson.dumps(body)).digest()
    [row] = await world.sql("SELECT fingerprint FROM idempotency_keys WHERE key = :key", key=key)
    assert bytes(row.fingerprint) != plain
