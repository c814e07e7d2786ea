from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from payments.intents.schedule import next_reading, next_refund_reading
from payments.intents.status import Step
from psp.pace import Pace

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def delays(step: Step, expires_at: datetime = LATER) -> list[float | None]:
    found = [next_reading(step, attempts, NOW, expires_at) for attempts in range(8)]
    return [None if at is None else (at - NOW).total_seconds() for at in found]


def test_an_unknown_outcome_is_asked_for_within_seconds_and_then_ever_more_rarely() -> None:
    assert delays(Step.UNKNOWN) == [2, 5, 15, 60, 300, 1800, 1800, 1800]
    assert delays(Step.SUBMITTING) == delays(Step.UNKNOWN)


def test_an_unknown_outcome_is_asked_for_however_long_it_takes() -> None:
    assert next_reading(Step.UNKNOWN, 10_000, NOW, NOW - timedelta(days=1)) is not None


def test_a_provider_that_wants_to_be_asked_rarely_is() -> None:
    """As PayU does: seven minutes after the creation, then ten minutes apart; only the expiry is looked at sooner."""
    pace = Pace(timedelta(minutes=7), timedelta(minutes=10))
    for step in (Step.UNKNOWN, Step.PENDING):
        pauses = [(next_reading(step, n, NOW, LATER, pace) or NOW) - NOW for n in range(8)]
        assert pauses[:2] == [timedelta(minutes=7), timedelta(minutes=10)]
        assert pauses == sorted(pauses)
    assert next_reading(Step.PENDING, 0, NOW, NOW + timedelta(minutes=5), pace) == NOW + timedelta(minutes=7)
    assert next_reading(Step.PENDING, 1, NOW, NOW + timedelta(minutes=8), pace) == NOW + timedelta(minutes=8)
    assert next_reading(Step.PENDING, 1, NOW, NOW, pace) == NOW + timedelta(minutes=10)
    assert next_refund_reading(0, NOW, pace) == NOW + timedelta(minutes=10)


def test_a_waiting_payment_is_read_at_its_expiry_at_the_latest() -> None:
    expires_at = NOW + timedelta(seconds=30)
    assert delays(Step.PENDING, expires_at) == [20, 30, 30, 30, 30, 30, 30, 30]


def test_a_payment_past_its_expiry_that_could_not_be_ended_is_tried_again() -> None:
    assert delays(Step.PENDING, NOW - timedelta(seconds=1))[:3] == [20, 60, 300]


def test_late_money_is_watched_for_three_days() -> None:
    found = delays(Step.FAILED)
    assert found[4] == 72 * 3600
    assert found[5:] == [None, None, None]


def test_nothing_more_is_read_of_what_is_paid() -> None:
    for step in (Step.CONFIRMED, Step.PARTIALLY_REFUNDED, Step.REFUNDED):
        assert delays(step) == [None] * 8


@given(st.integers(0, 100))
def test_a_refund_is_followed_for_ever_with_growing_pauses(attempts: int) -> None:
    first, second = next_refund_reading(attempts, NOW), next_refund_reading(attempts + 1, NOW)
    assert NOW < first <= second


def test_pauses_never_shrink() -> None:
    for step in (Step.UNKNOWN, Step.PENDING):
        assert all((a or 0) <= (b or 0) for a, b in pairwise(delays(step)))
