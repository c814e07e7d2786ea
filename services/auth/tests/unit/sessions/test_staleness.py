"""When a token counts as issued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from auth.sessions.staleness import moment_of_issue
from auth.sessions.states import microseconds

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)


def is_stale(issued: datetime, bound: datetime) -> bool:
    """What the gateway and the services compare: whole seconds against microseconds."""
    return int(issued.timestamp()) * 1_000_000 <= microseconds(bound)


def test_a_token_is_dated_after_the_bound_however_near_that_is() -> None:
    for ahead in (-5_000_000, -1, 0, 1, 749_999, 750_000, 30_000_000):
        bound = NOW + timedelta(microseconds=ahead)
        assert not is_stale(moment_of_issue(NOW, bound), bound), ahead


def test_without_a_bound_and_long_after_one_it_is_dated_now() -> None:
    assert moment_of_issue(NOW, None) == NOW
    assert moment_of_issue(NOW, NOW - timedelta(seconds=2)) == NOW


def test_a_bound_at_the_moment_of_issue_covers_the_token() -> None:
    assert is_stale(NOW, NOW)


def test_microseconds_are_exact() -> None:
    assert microseconds(datetime(2026, 11, 22, 12, 0, 0, 123_457, UTC)) == 1_795_348_800_123_457
