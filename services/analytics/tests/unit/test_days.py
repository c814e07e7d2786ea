from datetime import UTC, date, datetime, timedelta

import pytest
from analytics.days import instants, local_day

MEXICO, SANTIAGO = "America/Mexico_City", "America/Santiago"


@pytest.mark.parametrize(
    ("at", "time_zone", "day"),
    [
        (datetime(2026, 1, 16, 5, 59, 59, tzinfo=UTC), MEXICO, date(2026, 1, 15)),
        (datetime(2026, 1, 16, 6, 0, tzinfo=UTC), MEXICO, date(2026, 1, 16)),
        # Chile is at UTC-3 in summer and at UTC-4 in winter.
        (datetime(2026, 1, 15, 3, 0, tzinfo=UTC), SANTIAGO, date(2026, 1, 15)),
        (datetime(2026, 7, 15, 3, 0, tzinfo=UTC), SANTIAGO, date(2026, 7, 14)),
    ],
)
def test_an_instant_belongs_to_the_day_of_its_zone(at: datetime, time_zone: str, day: date) -> None:
    assert local_day(at, time_zone) == day


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "America", "../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000])
def test_an_unknown_zone_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        local_day(datetime(2026, 1, 15, tzinfo=UTC), name)


def test_a_naive_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        local_day(datetime(2026, 1, 15), MEXICO)  # noqa: DTZ001 - the point


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 9, 6), 23), (date(2026, 4, 4), 25), (date(2026, 6, 1), 24)],
)
def test_a_day_has_as_many_hours_as_its_clocks_make_it(day: date, hours: int) -> None:
    start, end = instants(day, day, SANTIAGO)

    assert end - start == timedelta(hours=hours)
    assert local_day(start, SANTIAGO) == day == local_day(end - timedelta(microseconds=1), SANTIAGO)
    assert local_day(end, SANTIAGO) == day + timedelta(days=1)
