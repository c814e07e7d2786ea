from datetime import date

import pytest
from analytics.intervals import Interval, start_of, starts


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.DAY, date(2026, 3, 1)),
        (Interval.WEEK, date(2026, 2, 23)),
        (Interval.MONTH, date(2026, 3, 1)),
    ],
)
def test_the_start_of_a_stretch(interval: Interval, expected: date) -> None:
    assert start_of(date(2026, 3, 1), interval) == expected


def test_every_stretch_once_and_in_order() -> None:
    assert starts(date(2026, 1, 31), date(2026, 3, 1), Interval.MONTH) == [
        date(2026, 1, 1),
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]
    assert starts(date(2026, 2, 28), date(2026, 3, 1), Interval.DAY) == [date(2026, 2, 28), date(2026, 3, 1)]
