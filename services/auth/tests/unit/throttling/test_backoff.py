"""How long to wait after failures."""

import pytest
from auth.throttling.backoff import Backoff, LocalTallies, Tally
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000_000
BACKOFF = Backoff(free=5, longest=900_000)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (14, 512), (15, 900), (16, 900), (10_000, 900)],
)
def test_the_wait_doubles_after_the_free_ones(failures: int, seconds: int) -> None:
    assert BACKOFF.wait_after(failures) == seconds * 1000


@given(st.integers(0, 200))
def test_the_wait_never_shrinks_and_never_exceeds_the_longest(failures: int) -> None:
    assert BACKOFF.wait_after(failures) <= BACKOFF.wait_after(failures + 1) <= BACKOFF.longest


def test_an_attempt_that_was_none_leaves_no_trace() -> None:
    tally = Tally(5, NOW)
    assert tally.charged(BACKOFF, NOW).returned(NOW) == tally
    assert Tally().returned(NOW) == Tally()


def attempts(tallies: LocalTallies, times: int, now: int = NOW, *, pair: str = "pair") -> list[int]:
    charges = [(pair, BACKOFF), ("subject", Backoff(free=8, longest=60_000))]
    return [tallies.charge("familiar", charges, now)[0] for _ in range(times)]


def test_refused_attempts_are_not_counted() -> None:
    tallies = LocalTallies()
    assert attempts(tallies, 7) == [0] * 5 + [1000] * 2
    assert attempts(tallies, 2, NOW + 1000) == [0, 2000]
    assert attempts(tallies, 1, NOW + 2999) == [1]


def test_a_clock_that_lags_behind_makes_nobody_wait_for_what_is_free() -> None:
    tallies = LocalTallies()
    assert attempts(tallies, 4) == [0] * 4
    assert attempts(tallies, 2, NOW - 50) == [0, 1000]


def test_a_quarter_of_an_hour_later_all_is_forgotten() -> None:
    tallies = LocalTallies()
    attempts(tallies, 5)
    assert attempts(tallies, 6, NOW + 1000 + BACKOFF.window) == [0] * 5 + [1000]


def test_the_strictest_tally_decides_and_refuses_without_charging_the_others() -> None:
    tallies = LocalTallies()
    for number in range(8):
        assert attempts(tallies, 1, pair=f"pair {number}") == [0]
    assert attempts(tallies, 3, pair="another") == [1000] * 3
    assert attempts(tallies, 1, NOW + 1000, pair="another") == [0]


def test_whoever_is_familiar_is_held_to_the_pair_alone() -> None:
    tallies = LocalTallies()
    for number in range(8):
        attempts(tallies, 1, pair=f"pair {number}")
    tallies.settle("familiar", [], [], NOW)
    assert attempts(tallies, 6) == [0] * 5 + [1000]


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    tallies = LocalTallies(capacity=3)
    for number in range(50):
        tallies.charge("familiar", [(f"pair {number}", Backoff(free=1, longest=60_000))], NOW)
    charges = [[(f"pair {number}", Backoff(free=1, longest=60_000))] for number in (49, 48, 47, 46)]
    assert [tallies.charge("familiar", charge, NOW)[0] for charge in charges] == [1000, 1000, 1000, 0]
