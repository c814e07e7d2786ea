from dataclasses import dataclass

import pytest
from chassis.auth.admission import LIFETIME, AdmissionSeal

SECRET = "a-secret-of-at-least-32-characters!!"
TOKEN = "eyJ.header.signature"


@dataclass
class Watch:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def seal(watch: Watch) -> AdmissionSeal:
    return AdmissionSeal(SECRET, now=watch)


def test_a_seal_admits_its_own_token_and_no_other(seal: AdmissionSeal) -> None:
    value = seal.sign(TOKEN)
    assert seal.admits(TOKEN, value)
    assert not seal.admits(TOKEN + "x", value)


def test_another_secret_does_not_admit(seal: AdmissionSeal, watch: Watch) -> None:
    assert not AdmissionSeal(SECRET[::-1], now=watch).admits(TOKEN, seal.sign(TOKEN))


def test_it_expires(seal: AdmissionSeal, watch: Watch) -> None:
    value = seal.sign(TOKEN)
    watch.now += LIFETIME
    assert seal.admits(TOKEN, value)
    watch.now += 1
    assert not seal.admits(TOKEN, value)


def test_one_from_the_future_is_refused_beyond_the_skew_of_clocks(seal: AdmissionSeal, watch: Watch) -> None:
    value = seal.sign(TOKEN)
    watch.now -= 4
    assert seal.admits(TOKEN, value)
    watch.now -= 10
    assert not seal.admits(TOKEN, value)


def test_its_time_cannot_be_changed(seal: AdmissionSeal) -> None:
    seconds, _, mac = seal.sign(TOKEN).partition(".")
    assert not seal.admits(TOKEN, f"{int(seconds) + 1}.{mac}")


@pytest.mark.parametrize(
    "value", [None, "", ".", "x.y", "-1.abc", "٣.abc", "1e9.abc", "9" * 5000, "é" * 20, "1800000000"]
)
def test_anything_else_is_refused(seal: AdmissionSeal, value: str | None) -> None:
    assert not seal.admits(TOKEN, value)
