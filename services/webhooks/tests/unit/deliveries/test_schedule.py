from datetime import UTC, datetime, timedelta

import pytest
from webhooks.deliveries.schedule import JITTER, SCHEDULE, next_try

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def test_the_schedule_of_the_specification() -> None:
    hours = [2, 5, 10, 14, 20, 24]
    assert [step.total_seconds() for step in SCHEDULE] == [0, 5, 300, 1800, *(hour * 3600 for hour in hours)]


@pytest.mark.parametrize("step", range(1, len(SCHEDULE)))
def test_each_wait_with_some_jitter(step: int) -> None:
    waits = {next_try(step, NOW) for _ in range(50)}

    assert len(waits) > 1
    for at in waits:
        assert at is not None
        assert SCHEDULE[step] <= at - NOW <= SCHEDULE[step] * (1 + JITTER)


def test_after_the_last_try_there_is_none() -> None:
    assert next_try(len(SCHEDULE), NOW) is None
    assert next_try(len(SCHEDULE), NOW, retry_after=timedelta(hours=1)) is None


def test_retry_after_makes_the_wait_longer_and_never_shorter() -> None:
    assert next_try(1, NOW, retry_after=timedelta(minutes=10)) == NOW + timedelta(minutes=10)
    at = next_try(3, NOW, retry_after=timedelta(seconds=1))
    assert at is not None
    assert at - NOW >= SCHEDULE[3]


def test_retry_after_is_a_day_at_most() -> None:
    assert next_try(1, NOW, retry_after=timedelta(days=365)) == NOW + timedelta(days=1)
