from datetime import date, timedelta

import pytest
from analytics.period import MAX_DAYS, CalendarDay, Period
from kernel import InvalidInput
from pydantic import TypeAdapter, ValidationError

TODAY = date(2026, 1, 15)
PAST, FUTURE = TODAY - timedelta(days=3), TODAY + timedelta(days=3)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (TODAY, TODAY)),
        (PAST, None, (PAST, TODAY)),
        (FUTURE, None, (FUTURE, FUTURE)),
        (None, PAST, (PAST, PAST)),
        (None, FUTURE, (TODAY, FUTURE)),
        (PAST, FUTURE, (PAST, FUTURE)),
    ],
)
def test_what_is_not_named_is_today(first: date | None, last: date | None, expected: tuple[date, date]) -> None:
    period = Period.of(first, last, today=TODAY)

    assert (period.first, period.last) == expected


def test_the_longest_period() -> None:
    Period.of(TODAY, TODAY + timedelta(days=MAX_DAYS - 1), today=TODAY)

    with pytest.raises(InvalidInput):
        Period.of(TODAY, TODAY + timedelta(days=MAX_DAYS), today=TODAY)


def test_the_end_comes_not_before_the_start() -> None:
    with pytest.raises(InvalidInput):
        Period.of(TODAY, PAST, today=TODAY)


@pytest.mark.parametrize(
    "text",
    ["", "0", "1768435200", "20260115", "2026-1-5", "2026-02-30", "2026-01-15T00:00:00", "9999-12-31", "٢٠٢٦-٠١-١٥"],
)
def test_only_a_plain_day_is_a_day(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(CalendarDay).validate_python(text)


def test_a_plain_day() -> None:
    assert TypeAdapter(CalendarDay).validate_python("2026-01-15") == TODAY
