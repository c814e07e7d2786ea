from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notifications.preferences.quiet import QuietHours

MX, CL = "America/Mexico_City", "America/Santiago"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "end", "zone", "now", "over"),
    [
        # Mexico City is six hours behind all year.
        ("22:00", "08:00", MX, "2026-01-16 03:59", None),
        ("22:00", "08:00", MX, "2026-01-16 04:00", "2026-01-16 14:00"),
        ("22:00", "08:00", MX, "2026-01-16 13:59", "2026-01-16 14:00"),
        ("22:00", "08:00", MX, "2026-01-16 14:00", None),
        ("13:00", "15:00", MX, "2026-01-16 20:00", "2026-01-16 21:00"),
        # Chile's clocks go forward at midnight of 6 September 2026: 00:00 to 00:59 do not exist.
        ("22:00", "00:30", CL, "2026-09-06 03:30", "2026-09-06 04:30"),
        # And back at midnight of 5 April: 23:20 comes twice, and this is the second time.
        ("23:15", "23:30", CL, "2026-04-05 03:20", "2026-04-05 03:30"),
    ],
)
def test_on_the_readers_own_clock(begin: str, end: str, zone: str, now: str, over: str | None) -> None:
    quiet = QuietHours(time.fromisoformat(begin), time.fromisoformat(end), zone)

    assert quiet.over_at(at(now)) == (at(over) if over else None)


_TIMES = st.times().map(lambda found: found.replace(second=0, microsecond=0))


@settings(max_examples=60)
@given(
    _TIMES,
    _TIMES,
    st.sampled_from([MX, CL, "America/Bogota", "America/Argentina/Buenos_Aires"]),
    st.integers(min_value=1_735_700_000, max_value=1_830_000_000),
)
def test_quiet_is_over_within_a_day(begin: time, end: time, zone: str, seconds: int) -> None:
    quiet, now = QuietHours(begin, end, zone), datetime.fromtimestamp(seconds, UTC)

    assert QuietHours.parse(str(quiet)) == quiet
    over = quiet.over_at(now)
    if over is not None:
        assert now < over <= now + timedelta(hours=25)
    if begin == end:
        assert over is None
