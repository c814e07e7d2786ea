from __future__ import annotations

import pytest
from gateway.admission.limits import Limit, LocalLimits, take
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000
limits = st.builds(Limit, rate=st.integers(1, 10_000), period=st.integers(1, 3600), burst=st.integers(1, 50))


@pytest.mark.parametrize("text", ["", "10", "10/60", "0/60:1", "10/0:1", "10/60:0", "-1/60:1", "1e3/60:1", "10/60:1;x"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what settings translate
        Limit.parse(text)


def test_a_limit_reads_rate_period_burst() -> None:
    assert Limit.parse(" 600/60:100 ") == Limit(600, 60, 100)


def test_burst_then_one_per_interval() -> None:
    limit, tat, now = Limit(60, 60, 3), 0.0, 5 * SECOND
    remaining = []
    for _ in range(3):
        decision, tat = take(limit, tat, now)
        assert decision.allowed
        remaining.append(decision.remaining)
    assert remaining == [2, 1, 0]
    refused, unchanged = take(limit, tat, now)
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 1, 3)
    assert unchanged == tat
    assert not take(limit, tat, now + 0.9 * SECOND)[0].allowed
    assert take(limit, tat, now + SECOND)[0].allowed


@given(limits, st.lists(st.integers(0, 10 * SECOND), min_size=1, max_size=80))
def test_never_more_than_the_burst_and_the_rate_allow(limit: Limit, gaps: list[int]) -> None:
    now, tat, passed, start = 1_000 * SECOND, 0.0, 0, None
    for gap in gaps:
        now += gap
        decision, tat = take(limit, tat, float(now))
        start = now if start is None else start
        passed += decision.allowed
        assert passed <= limit.burst + (now - start) / limit.interval + 1e-6
        assert decision.allowed or decision.retry_after >= 0
        assert 0 <= decision.remaining < limit.burst


@given(limits, st.integers(0, 100 * SECOND))
def test_waiting_as_told_is_enough(limit: Limit, start: int) -> None:
    tat = 0.0
    for _ in range(limit.burst):
        _, tat = take(limit, tat, float(start))
    decision, _ = take(limit, tat, float(start))
    assert not decision.allowed
    assert take(limit, tat, start + decision.retry_after * SECOND)[0].allowed


def test_subjects_do_not_share_and_the_oldest_is_forgotten_first() -> None:
    local, limit = LocalLimits(capacity=2), Limit(1, 3600, 1)

    def passes(key: str) -> bool:
        (decision,) = local.take([(key, limit)], 1.0)
        return decision.allowed

    assert passes("a")
    assert passes("b")
    assert not passes("a")
    assert passes("c")
    assert not passes("a")
    assert passes("b")


def test_a_request_under_two_limits_is_charged_to_both_or_to_none() -> None:
    local, wide, narrow = LocalLimits(), Limit(60, 60, 5), Limit(60, 60, 2)
    both = [("user", wide), ("business", narrow)]
    assert [decision.remaining for decision in local.take(both, 1.0)] == [4, 1]
    assert [decision.remaining for decision in local.take(both, 1.0)] == [3, 0]
    user, business = local.take(both, 1.0)
    assert (user.allowed, user.remaining, user.retry_after) == (True, 3, 0)
    assert (business.allowed, business.remaining, business.retry_after) == (False, 0, 1)
    (alone,) = local.take([("user", wide)], 1.0)
    assert alone.remaining == 2
