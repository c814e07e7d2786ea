"""How soon the next code may be asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from auth.codes.rules import next_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ages", "wait"),
    [
        ([], 0),
        ([0], 60),
        ([59], 1),
        ([60], 0),
        ([100, 200, 300, 400], 0),
        ([100, 200, 300, 400, 500], 3100),
        ([10, 200, 300, 400, 3590], 50),
        ([100, 200, 300, 400, 3599], 1),
    ],
)
def test_a_minute_after_the_last_and_five_in_an_hour(ages: list[int], wait: int) -> None:
    earlier = [NOW - timedelta(seconds=age) for age in ages]
    assert next_at(earlier, NOW) == NOW + timedelta(seconds=wait)
