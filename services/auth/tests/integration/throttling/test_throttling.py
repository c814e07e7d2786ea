"""Guesses are slowed down: per phone and address, and so that nobody is kept out by a stranger."""

from __future__ import annotations

import asyncio
import random
import secrets
from datetime import timedelta
from typing import Any

import pytest
from auth.passwords.hashing import PasswordHasher
from auth.throttling.backoff import Backoff, LocalTallies
from auth.throttling.limits import Guess
from auth.throttling.service import Throttle
from chassis.cache import connect_redis
from kernel import RateLimited, new_id
from redis.exceptions import RedisError

pytestmark = pytest.mark.integration

LOGIN = "/auth/login"
WRONG = "not my password"


def elsewhere() -> dict[str, str]:
    return {"X-Forwarded-For": f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"}


class CountingHasher(PasswordHasher):
    """Counts the passwords that are looked at."""

    looked_at = 0

    async def verify(self, password: str, stored: str | None) -> bool:
        self.looked_at += 1
        return await super().verify(password, stored)


async def guess(world: Any, phone: str, times: int = 1, headers: dict[str, str] | None = None) -> list[Any]:
    return [await world.post(LOGIN, {"phone": phone, "password": WRONG}, headers) for _ in range(times)]


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_after_five_wrong_passwords_none_is_looked_at_for_a_while(world: Any, later: Any) -> None:
    account = await world.register()
    assert statuses(await guess(world, account.phone, 5)) == [401] * 5
    right = await world.post(LOGIN, {"phone": account.phone, "password": account.password})
    assert (right.status_code, right.json()["code"]) == (429, "login_throttled")
    assert right.headers["Retry-After"] == "1"
    with later(timedelta(seconds=1)):
        assert await world.login(account)


async def test_the_wait_ends_at_a_quarter_of_an_hour(world: Any, later: Any, sut: Any) -> None:
    account, gone_by = await world.register(), timedelta()
    await guess(world, account.phone, 5)
    waits = []
    for _ in range(13):
        with later(gone_by):
            [refused] = await guess(world, account.phone)
        waits.append(int(refused.headers["Retry-After"]))
        gone_by += timedelta(seconds=waits[-1])
        with later(gone_by):
            assert statuses(await guess(world, account.phone)) == [401]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    with later(gone_by + timedelta(seconds=900)):
        assert await world.login(account), "the right password is let in once the wait is over"
        assert statuses(await guess(world, account.phone, 6)) == [401] * 5 + [429], "and all begins anew"


async def test_a_phone_that_nobody_has_is_slowed_down_alike(world: Any) -> None:
    account = await world.register()
    somebody, nobody = await guess(world, account.phone, 8), await guess(world, world.phone(), 8)
    assert statuses(somebody) == statuses(nobody) == [401] * 5 + [429] * 3
    assert [{**answer.json(), "requestId": ""} for answer in somebody] == [
        {**answer.json(), "requestId": ""} for answer in nobody
    ]
    assert somebody[-1].headers["Retry-After"] == nobody[-1].headers["Retry-After"]


async def test_however_many_guess_at_once_no_more_passwords_are_looked_at(sut: Any, world: Any, altered: Any) -> None:
    account = await world.register()
    hasher = CountingHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=4, threads=2, queue=100)
    with altered(passwords=hasher):
        answers = await asyncio.gather(*(guess(world, account.phone) for _ in range(50)))
    await hasher.close()
    # Five by Redis; and as many by the process, should Redis not keep up with this very flood.
    assert 5 <= hasher.looked_at <= 10
    assert sorted(answer.status_code for [answer] in answers) == [401] * hasher.looked_at + [429] * (
        50 - hasher.looked_at
    )


async def test_being_right_forgets_what_was_wrong_before(world: Any) -> None:
    account = await world.register()
    for _ in range(4):
        assert statuses(await guess(world, account.phone, 4)) == [401] * 4
        assert await world.login(account)


async def test_many_right_passwords_slow_nobody_down(world: Any) -> None:
    accounts = [await world.register() for _ in range(3)]
    for _ in range(20):
        for account in accounts:
            assert await world.login(account)


async def test_one_address_cannot_try_a_password_on_many_phones(world: Any, later: Any) -> None:
    owner = await world.register()
    answers = [answer for _ in range(55) for answer in await guess(world, world.phone())]
    assert statuses(answers) == [401] * 50 + [429] * 5
    body = {"phone": owner.phone, "password": owner.password}
    assert (await world.post(LOGIN, body)).status_code == 429, "nor log in meanwhile, where they never have"
    assert (await world.post(LOGIN, body, elsewhere())).status_code == 200
    with later(timedelta(seconds=1)):
        assert await world.login(owner)
        # Being right takes nothing off an address but what that attempt had cost.
        assert statuses(await guess(world, world.phone())) == [401]
        assert statuses(await guess(world, world.phone())) == [429]


async def test_addresses_of_one_ipv6_network_are_one(world: Any) -> None:
    network = f"2001:db8:{secrets.randbelow(1 << 16):x}:{secrets.randbelow(1 << 16):x}"
    phone = world.phone()
    answers = [
        answer
        for number in range(8)
        for answer in await guess(world, phone, headers={"X-Forwarded-For": f"{network}::{number:x}"})
    ]
    assert statuses(answers) == [401] * 5 + [429] * 3


async def test_a_stranger_with_many_addresses_does_not_lock_a_user_out_of_their_usual_place(world: Any) -> None:
    account = await world.register()
    assert await world.login(account)
    answers = [answer for _ in range(40) for answer in await guess(world, account.phone, headers=elsewhere())]
    assert statuses(answers).count(401) == 30, "all addresses together have thirty"
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) <= 60
    assert await world.login(account), "where they have logged in before"
    somewhere_new = await world.post(LOGIN, {"phone": account.phone, "password": account.password}, elsewhere())
    assert somewhere_new.status_code == 429


async def test_a_busy_hasher_costs_nobody_an_attempt(sut: Any, world: Any, altered: Any) -> None:
    account = await world.register()
    full = PasswordHasher(sut.kit.settings.password_pepper.get_secret_value(), cost=13, threads=1, queue=1)
    body = {"phone": account.phone, "password": account.password}
    with altered(passwords=full):
        waiting = [asyncio.create_task(world.register()) for _ in range(2)]
        await asyncio.sleep(0.02)
        busy = [await world.post(LOGIN, body) for _ in range(8)]
        await asyncio.gather(*waiting)
    await full.close()
    assert {answer.json()["code"] for answer in busy} == {"login_busy"}
    assert await world.login(account)


async def test_redis_holds_neither_phones_nor_addresses_and_nothing_for_good(
    sut: Any, world: Any, address: str
) -> None:
    account = await world.register()
    await guess(world, account.phone, 6)
    await world.login(await world.register())
    redis = sut.kit.cache.redis
    keys = [key async for key in redis.scan_iter("throttle:login:*")]
    assert len(keys) >= 4
    for key in keys:
        assert account.phone[1:] not in key.decode()
        assert address not in key.decode()
        assert 0 < await redis.ttl(key) <= 30 * 24 * 3600


async def test_without_redis_this_process_counts_alone(sut: Any, world: Any, altered: Any, later: Any) -> None:
    account = await world.register()
    down = Throttle(connect_redis("redis://127.0.0.1:1/0"), sut.context.blind_index, sut.clock)
    with altered(throttle=down):
        assert statuses(await guess(world, account.phone, 7)) == [401] * 5 + [429] * 2
        with later(timedelta(seconds=1)):
            assert await world.login(account)
            assert statuses(await guess(world, account.phone, 6)) == [401] * 5 + [429]
    assert await world.login(account), "Redis never heard of it"


async def test_losing_redis_in_the_middle_of_an_attack_forgets_nothing(sut: Any, world: Any, altered: Any) -> None:
    account, redis = await world.register(), connect_redis(sut.kit.common.redis_url.get_secret_value())
    throttle = Throttle(redis, sut.context.blind_index, sut.clock)
    with altered(throttle=throttle):
        assert statuses(await guess(world, account.phone, 3)) == [401] * 3
        await redis.aclose()
        redis.connection_pool = connect_redis("redis://127.0.0.1:1/0").connection_pool
        with pytest.raises(RedisError):
            await redis.ping()
        assert statuses(await guess(world, account.phone, 4)) == [401] * 2 + [429] * 2
    await redis.aclose()


@pytest.mark.parametrize("seed", range(5))
async def test_redis_and_the_process_count_alike(sut: Any, seed: int) -> None:
    """Whatever happens in whatever order, both give the same answers."""
    choose = random.Random(seed)
    throttle: Throttle = sut.context.throttle
    local, prefix = LocalTallies(), f"throttle:test:{new_id()}"
    now = int(sut.clock.now().timestamp() * 1000)
    backoffs = [Backoff(3, 20_000, 60_000), Backoff(6, 5_000, 60_000), Backoff(9, 40_000, 60_000)]
    for _ in range(300):
        subject = choose.randrange(2)
        familiar = f"{prefix}:familiar:{subject}"
        charges = [
            (f"{prefix}:pair:{subject}", backoffs[0]),
            (f"{prefix}:subject:{subject}", backoffs[1]),
            (f"{prefix}:address", backoffs[2]),
        ]
        keys = [key for key, _ in charges]
        arguments = [now, *(part for _, backoff in charges for part in (backoff.free, backoff.longest, backoff.window))]
        ours = local.charge(familiar, charges, now)
        theirs = tuple(await throttle._charge(keys=[familiar, *keys], args=arguments))
        assert ours == theirs
        match choose.randrange(8):
            case 0 if ours[1]:
                local.settle(familiar, keys[:2], keys[2:], now)
                await throttle._settle(keys=[*keys, familiar], args=[now, 2, 1, 100])
            case 1 if ours[1]:
                local.settle(None, [], keys, now)
                await throttle._settle(keys=keys, args=[now, 0, 3, 100])
            case _:
                now += choose.choice([0, 1, 999, 1000, 5_000, 30_000, 70_000])


async def test_an_attempt_that_is_cancelled_counts(sut: Any) -> None:
    """Otherwise hanging up before the answer would be the way to guess for free."""
    throttle, phone = sut.context.throttle, f"+52{new_id()}"

    async def hang_up() -> None:
        async with throttle.attempt(Guess.LOGIN, phone, "192.0.2.1"):
            await asyncio.sleep(60)

    for _ in range(5):
        task = asyncio.create_task(hang_up())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(RateLimited):
        await hang_up()
