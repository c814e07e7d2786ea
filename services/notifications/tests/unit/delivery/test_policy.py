from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notifications.channels.port import Accepted, Failed, NotTaken, Outcome, Refused, Unanswered
from notifications.delivery.policy import GIVE_UP_AFTER, Again, GivenUp, Sent, Verdict, judge

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def verdict(outcome: Outcome, *, attempts: int = 0, unanswered: int = 0, age: float = 0) -> Verdict:
    created_at = NOW - timedelta(seconds=age)
    return judge(outcome, attempts=attempts, unanswered=unanswered, created_at=created_at, now=NOW)


def seconds(step: object) -> float:
    assert isinstance(step, Again)
    return (step.at - NOW).total_seconds()


def test_accepted_is_sent() -> None:
    assert verdict(Accepted("201 queued", "SM1")) == Verdict(Sent("SM1"), 1, 0, "201 queued")


def test_refused_is_given_up() -> None:
    assert verdict(Refused("400 21211")) == Verdict(GivenUp("refused"), 1, 0, "400 21211")


def test_three_failures_then_never() -> None:
    assert [seconds(verdict(Failed("500"), attempts=tries).next) for tries in (0, 1)] == [5, 30]
    assert verdict(Failed("500"), attempts=2).next == GivenUp("provider_failed")


def test_one_silence_is_followed_by_one_try() -> None:
    assert seconds(verdict(Unanswered("timed out")).next) == 30
    assert verdict(Unanswered("timed out"), unanswered=1).next == GivenUp("no_answer")


@pytest.mark.parametrize(("age", "wait"), [(0, 1), (10, 5), (60, 30), (600, 60), (86_399, 60)])
def test_what_was_not_taken_waits_longer_the_longer_it_waits(age: float, wait: float) -> None:
    judged = verdict(NotTaken("ConnectionRefusedError"), age=age, attempts=1, unanswered=1)

    assert seconds(judged.next) == wait
    assert (judged.attempts, judged.unanswered) == (1, 1)


def test_and_is_given_up_after_a_day() -> None:
    assert verdict(NotTaken("x"), age=GIVE_UP_AFTER.total_seconds()).next == GivenUp("provider_unavailable")


def test_a_provider_that_names_its_time_is_obeyed() -> None:
    assert seconds(verdict(NotTaken("429", retry_after=300)).next) == 300


@given(outcomes=st.lists(st.sampled_from([Failed("500"), Unanswered("timed out")]), min_size=4, max_size=4))
def test_no_run_of_failures_goes_on_for_ever(outcomes: list[Outcome]) -> None:
    attempts = unanswered = 0
    for outcome in outcomes:
        judged = verdict(outcome, attempts=attempts, unanswered=unanswered)
        attempts, unanswered = judged.attempts, judged.unanswered
        if isinstance(judged.next, GivenUp):
            return
    raise AssertionError("never given up")


def urgent(outcome: Outcome, *, attempts: int = 0, unanswered: int = 0, age: float = 0, left: float = 600) -> Verdict:
    return judge(
        outcome,
        attempts=attempts,
        unanswered=unanswered,
        created_at=NOW - timedelta(seconds=age),
        now=NOW,
        expires_at=NOW + timedelta(seconds=left),
    )


def test_what_expires_is_tried_again_sooner() -> None:
    assert [seconds(urgent(Failed("500"), attempts=tries).next) for tries in (0, 1)] == [1, 5]
    assert seconds(urgent(Unanswered("timed out")).next) == 5
    assert [seconds(urgent(NotTaken("x"), age=age).next) for age in (0, 4, 300)] == [1, 2, 5]


@pytest.mark.parametrize("outcome", [Failed("500"), Unanswered("timed out"), NotTaken("x")])
def test_and_never_once_it_has_expired(outcome: Outcome) -> None:
    assert urgent(outcome, left=1).next == GivenUp("expired")
    assert isinstance(urgent(outcome, left=5.1).next, Again)


def test_a_provider_that_names_a_time_after_it_expires_is_not_waited_for() -> None:
    assert urgent(NotTaken("429", retry_after=300), left=299).next == GivenUp("expired")


def test_what_has_gone_or_was_refused_stays_so() -> None:
    assert urgent(Accepted("201 queued", "SM1"), left=0.1).next == Sent("SM1")
    assert urgent(Refused("400 21211"), left=0.1).next == GivenUp("refused")
    assert urgent(Failed("500"), attempts=2, left=0.1).next == GivenUp("provider_failed")
