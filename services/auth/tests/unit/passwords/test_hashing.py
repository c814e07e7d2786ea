"""Which passwords are accepted, and how they are hashed."""

import asyncio
import time
import unicodedata

import pytest
from auth.passwords.hashing import PasswordHasher
from auth.passwords.policy import PasswordPolicy
from kernel import InvalidInput, RateLimited

PHONE = "+525512345678"


def make_hasher(*, cost: int = 4, pepper: str = "p" * 32, threads: int = 2, queue: int = 8) -> PasswordHasher:
    return PasswordHasher(pepper, cost=cost, threads=threads, queue=queue)


@pytest.mark.parametrize(
    "password",
    ["12345678", "password", "PASSWORD", "Contraseña", "qwertyuiop", "tequiero", "aaaaaaaa", "abcd1234", "princesa123"],
)
def test_the_commonest_are_refused(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PasswordPolicy().check(password, phone=PHONE)
    assert [error.field for error in refused.value.errors] == ["password"]


@pytest.mark.parametrize("password", [PHONE, PHONE[1:], PHONE[3:]])
def test_the_phone_is_no_password(password: str) -> None:
    with pytest.raises(InvalidInput):
        PasswordPolicy().check(password, phone=PHONE)


@pytest.mark.parametrize(
    "password", ["Sup3r-Segura", "una frase larga de verdad", "contraseña de lupita", "🌮🌮🌮🌮🌯🌯🌯🌯"]
)
def test_others_are_accepted(password: str) -> None:
    PasswordPolicy().check(password, phone=PHONE)


async def test_a_hash_fits_its_password_and_no_other() -> None:
    hasher = make_hasher()
    stored = await hasher.hash("correct horse")
    assert stored.startswith("$2b$04$")
    assert await hasher.verify("correct horse", stored)
    assert not await hasher.verify("correct horsf", stored)
    assert not await make_hasher(pepper="q" * 32).verify("correct horse", stored)


async def test_nothing_is_cut_at_72_bytes() -> None:
    hasher = make_hasher()
    stored = await hasher.hash("ñ" * 100 + "a")
    assert await hasher.verify("ñ" * 100 + "a", stored)
    assert not await hasher.verify("ñ" * 100 + "b", stored)


async def test_a_letter_is_the_same_however_the_keyboard_composes_it() -> None:
    hasher = make_hasher()
    stored = await hasher.hash(unicodedata.normalize("NFD", "contraseña única"))
    assert await hasher.verify(unicodedata.normalize("NFC", "contraseña única"), stored)


async def test_nobody_takes_as_long_as_somebody() -> None:
    hasher = make_hasher(cost=8)
    stored = await hasher.hash("correct horse")

    async def least(expected: str | None) -> float:
        times = []
        for _ in range(15):
            started = time.perf_counter()
            assert not await hasher.verify("wrong horse", expected)
            times.append(time.perf_counter() - started)
        return min(times)

    old = await make_hasher(cost=5).hash("correct horse")
    somebody, nobody, before = await least(stored), await least(None), await least(old)
    # Without the work of a cost of 8 a ratio would be an eighth or less; the bounds leave room for a busy machine.
    assert 0.3 < nobody / somebody < 3
    assert 0.3 < before / somebody < 3, "a hash of a lower cost answers no sooner"


async def test_a_hash_of_another_cost_is_outdated() -> None:
    stored = await make_hasher(cost=4).hash("correct horse")
    assert not make_hasher(cost=4).is_outdated(stored)
    assert make_hasher(cost=5).is_outdated(stored)


async def test_a_full_queue_refuses_at_once_and_recovers() -> None:
    hasher = make_hasher(cost=8, threads=1, queue=2)
    outcomes = await asyncio.gather(*(hasher.hash("correct horse") for _ in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
    assert len(refused) == 5
    assert all(outcome.retry_after for outcome in refused)
    assert await hasher.hash("correct horse")


async def test_a_client_that_went_away_gives_its_place_back() -> None:
    hasher = make_hasher(cost=8, threads=1, queue=1)
    waiting = [asyncio.create_task(hasher.hash("correct horse")) for _ in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    deadline = time.monotonic() + 10
    while True:
        try:
            assert await hasher.hash("correct horse")
            return
        except RateLimited:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
