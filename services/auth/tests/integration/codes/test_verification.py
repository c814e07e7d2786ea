"""POST /auth/verification and /auth/verification/confirm."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from auth.codes.derivation import CodeDerivation
from auth.throttling.limits import Guess
from auth.throttling.service import Attempt, Throttle
from chassis.tenancy import everyone
from contracts.events.auth import UserCodeRequested, UserUpdated
from kernel import new_id

pytestmark = pytest.mark.integration

REQUEST, CONFIRM = "/auth/verification", "/auth/verification/confirm"


async def ask(world: Any, account: Any, channel: str = "sms") -> Any:
    return await world.post(REQUEST, {"channel": channel}, account.headers)


async def give(world: Any, account: Any, code: str, channel: str = "sms") -> Any:
    return await world.post(CONFIRM, {"channel": channel, "code": code}, account.headers)


def another(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06}"


def email() -> str:
    return f"e{new_id()}@example.com"


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


@pytest.mark.parametrize(("channel", "field"), [("sms", "phoneVerified"), ("email", "emailVerified")])
async def test_a_code_proves_a_phone_or_an_email_address(
    sut: Any, world: Any, code_of: Any, channel: str, field: str
) -> None:
    account = await world.register(email=email())
    asked = await ask(world, account, channel)
    assert asked.status_code == 202
    sent = asked.json()["data"]
    assert sent["channel"] == channel
    assert seconds_between(sent["resendAfter"], sent["expiresAt"]) == 540
    code = await code_of(account)
    assert len(code.code) == 6
    answer = await give(world, account, code.code, channel)
    assert answer.status_code == 200, answer.text
    user = answer.json()["data"]
    assert (user["phoneVerified"], user["emailVerified"]) == (field == "phoneVerified", field == "emailVerified")
    assert (await world.get("/auth/me", account.headers)).json()["data"] == user
    [event] = await sut.published(UserUpdated, aggregate_id=account.id)
    assert (event.aggregate_version, event.changed) == (2, (f"{field[:5]}_verified",))
    [entry] = await world.sql(
        "SELECT action, actor_id FROM audit_entries WHERE subject_id = :id AND action LIKE 'user.%verified'",
        id=account.id,
    )
    assert (entry.action, entry.actor_id) == (f"user.{field[:5]}_verified", account.id)


async def test_the_code_is_in_no_row_and_no_message(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    [event] = [event for event in await sut.published(UserCodeRequested) if event.user_id == account.id]
    assert (event.channel, event.purpose) == ("sms", "verification")
    rows = await world.sql("SELECT (c.*)::text AS row FROM one_time_codes c WHERE user_id = :id", id=account.id)
    rows += await world.sql("SELECT body::text AS row FROM outbox WHERE aggregate_id = :id", id=event.aggregate_id)
    rows += await world.sql("SELECT (a.*)::text AS row FROM audit_entries a WHERE actor_id = :id", id=account.id)
    assert len(rows) >= 2
    found = [row.row for row in rows if f'"{code}"' in row.row or f",{code}," in row.row]
    assert found == []


@pytest.mark.parametrize("channel", ["sms", "email"])
async def test_it_works_once(world: Any, code_of: Any, channel: str) -> None:
    account = await world.register(email=email())
    await ask(world, account, channel)
    code = (await code_of(account)).code
    assert (await give(world, account, code, channel)).status_code == 200
    again = await give(world, account, code, channel)
    assert (again.status_code, again.json()["code"]) == (422, "code_invalid")
    assert [error["field"] for error in again.json()["errors"]] == ["code"]


async def test_of_ten_at_once_one_wins(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    answers = await asyncio.gather(*(give(world, account, code) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers).count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 422, 429}
    assert len(await sut.published(UserUpdated, aggregate_id=account.id)) == 1


async def test_sent_again_with_its_key_it_gives_its_answer_again(world: Any, code_of: Any) -> None:
    account = await world.register()
    key = {**account.headers, "Idempotency-Key": str(new_id())}
    first, again = [await world.post(REQUEST, {"channel": "sms"}, key) for _ in range(2)]
    assert (again.status_code, again.content) == (202, first.content)
    body = {"channel": "sms", "code": (await code_of(account)).code}
    key["Idempotency-Key"] = str(new_id())
    first, again = [await world.post(CONFIRM, body, key) for _ in range(2)]
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_after_five_wrong_ones_the_right_one_is_wrong_too(world: Any, code_of: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    for by in range(1, 6):
        assert (await give(world, account, another(code, by))).json()["code"] == "code_invalid"
    assert (await give(world, account, code)).json()["code"] == "code_invalid"
    [row] = await world.sql("SELECT attempts FROM one_time_codes WHERE user_id = :id", id=account.id)
    assert row.attempts == 5


async def test_four_wrong_ones_leave_one_try(world: Any, code_of: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    for by in range(1, 5):
        await give(world, account, another(code, by))
    assert (await give(world, account, code)).status_code == 200


class CountingDerivation(CodeDerivation):
    """Counts the comparisons."""

    compared = 0

    def fits(self, code_id: UUID, given: str) -> bool:
        self.compared += 1
        return super().fits(code_id, given)


class OpenThrottle(Throttle):
    """Lets everything through: what stands behind it must hold by itself."""

    async def _begin(self, guess: Guess, subject: str, address: str) -> Attempt:
        return self._tallies(guess, subject, address)[0]


async def test_of_fifty_guesses_at_once_five_are_compared(sut: Any, world: Any, code_of: Any, altered: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    codes = CountingDerivation(sut.kit.settings.password_pepper.get_secret_value())
    throttle = OpenThrottle(sut.kit.cache.redis, sut.context.blind_index, sut.clock)
    with altered(codes=codes, throttle=throttle):
        answers = await asyncio.gather(*(give(world, account, another(code, by)) for by in range(1, 51)))
        assert {answer.json()["code"] for answer in answers} == {"code_invalid"}
        assert codes.compared == 5
        assert (await give(world, account, code)).status_code == 422


async def test_it_lives_ten_minutes(world: Any, code_of: Any, later: Any) -> None:
    account = await world.register()
    await ask(world, account)
    code = (await code_of(account)).code
    with later(timedelta(minutes=10)):
        assert (await give(world, account, code)).json()["code"] == "code_invalid"
    [row] = await world.sql("SELECT attempts FROM one_time_codes WHERE user_id = :id", id=account.id)
    assert row.attempts == 0, "it was not even looked at"
    with later(timedelta(minutes=9, seconds=59)):
        assert (await give(world, account, code)).status_code == 200


async def test_a_new_one_replaces_the_one_before(world: Any, code_of: Any, later: Any) -> None:
    account = await world.register()
    await ask(world, account)
    first = (await code_of(account)).code
    with later(timedelta(seconds=60)):
        assert (await ask(world, account)).status_code == 202
        second = (await code_of(account)).code
        if first != second:
            assert (await give(world, account, first)).status_code == 422
        assert (await give(world, account, second)).status_code == 200
    living = await world.sql(
        "SELECT id FROM one_time_codes WHERE user_id = :id AND used_at IS NULL AND replaced_at IS NULL", id=account.id
    )
    assert living == []


async def test_the_next_may_be_asked_for_after_a_minute_and_five_in_an_hour(world: Any, later: Any) -> None:
    account = await world.register()
    for number in range(5):
        with later(timedelta(seconds=60 * number)):
            asked = await ask(world, account)
            assert asked.status_code == 202
            refused = await ask(world, account)
            assert (refused.status_code, refused.json()["code"]) == (429, "code_throttled")
            assert int(refused.headers["Retry-After"]) == (60 if number < 4 else 3600 - 240)
    with later(timedelta(seconds=3599)):
        assert (await ask(world, account)).headers["Retry-After"] == "1"
    with later(timedelta(seconds=3600)):
        assert (await ask(world, account)).status_code == 202


async def test_of_many_asked_for_at_once_one_is_sent(sut: Any, world: Any) -> None:
    account = await world.register()
    answers = await asyncio.gather(*(ask(world, account) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] + [429] * 9
    assert len([event for event in await sut.published(UserCodeRequested) if event.user_id == account.id]) == 1


async def test_one_user_is_sent_ten_in_an_hour_whatever_the_way(world: Any, later: Any) -> None:
    account = await world.register(email=email())
    answers = []
    for number in range(6):
        with later(timedelta(seconds=61 * number)):
            change = {"email": email()}
            await world.sut.client.patch("/api/v1/auth/me", json=change, headers=account.headers)
            answers += [await ask(world, account, "email")]
    for number in range(5):
        with later(timedelta(seconds=400 + 61 * number)):
            answers += [await ask(world, account)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert 2000 < int(answers[-1].headers["Retry-After"]) <= 3600


async def test_a_code_is_for_its_channel_and_its_user(world: Any, code_of: Any) -> None:
    account, other = await world.register(email=email()), await world.register(email=email())
    await ask(world, account, "email")
    code = (await code_of(account)).code
    assert (await give(world, account, code, "sms")).status_code == 422
    assert (await give(world, other, code, "email")).status_code == 422
    assert (await give(world, account, code, "email")).status_code == 200


async def test_a_new_email_address_is_not_proved_with_a_code_to_the_old_one(sut: Any, world: Any, code_of: Any) -> None:
    account = await world.register(email=email())
    await ask(world, account, "email")
    code = (await code_of(account)).code
    answer = await sut.client.patch("/api/v1/auth/me", json={"email": email()}, headers=account.headers)
    assert answer.status_code == 200
    assert (await give(world, account, code, "email")).json()["code"] == "code_invalid"
    assert (await world.get("/auth/me", account.headers)).json()["data"]["emailVerified"] is False


async def test_what_there_is_nothing_to_verify_about(world: Any, code_of: Any, later: Any) -> None:
    account = await world.register()
    missing = await ask(world, account, "email")
    assert (missing.status_code, missing.json()["code"]) == (422, "email_missing")
    assert (await give(world, account, "123456", "email")).json()["code"] == "code_invalid"
    await ask(world, account)
    await give(world, account, (await code_of(account)).code)
    with later(timedelta(minutes=2)):
        done = await ask(world, account)
    assert (done.status_code, done.json()["code"]) == (422, "already_verified")


async def test_guesses_are_slowed_down(world: Any) -> None:
    account = await world.register()
    answers = [await give(world, account, f"{number:06}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 2
    assert answers[-1].json()["code"] == "attempts_throttled"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel": "fax", "code": "123456"},
        {"channel": "sms"},
        {"channel": "sms", "code": "12345"},
        {"channel": "sms", "code": "1234567"},
        {"channel": "sms", "code": "12345a"},
        {"channel": "sms", "code": "١٢٣٤٥٦"},
        {"channel": "sms", "code": 123456},
        {"channel": "sms", "code": None},
    ],
)
async def test_bad_input_is_a_400(world: Any, body: dict[str, Any]) -> None:
    account = await world.register()
    answer = await world.post(CONFIRM, body, account.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_a_session_is_needed(world: Any) -> None:
    account = await world.register()
    await world.post("/auth/logout", headers=account.headers)
    for path, body in ((REQUEST, {"channel": "sms"}), (CONFIRM, {"channel": "sms", "code": "123456"})):
        assert (await world.post(path, body)).status_code == 401
        assert (await world.post(path, body, account.headers)).status_code == 401


async def test_the_next_owner_of_a_phone_gets_codes_of_their_own(world: Any, code_of: Any) -> None:
    before = await world.register()
    await ask(world, before)
    old = (await code_of(before)).code
    await world.delete_user(before)
    after = await world.register(phone=before.phone)
    assert (await give(world, after, old)).status_code == 422
    refused = await ask(world, after)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")


async def test_codes_are_swept_a_day_after_they_expired(sut: Any, world: Any, later: Any) -> None:
    account = await world.register()
    await ask(world, account)
    job = next(job for job in sut.service.jobs if job.name == "codes-forget")
    statement = "SELECT id FROM one_time_codes WHERE user_id = :id"
    with later(timedelta(days=1)):
        with everyone():
            await job.run()
        assert len(await world.sql(statement, id=account.id)) == 1
    with later(timedelta(days=1, minutes=11)):
        with everyone():
            await job.run()
        assert await world.sql(statement, id=account.id) == []
