"""A business's days: the calendar of its time zone, daylight saving included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local_day(at: datetime, time_zone: str) -> date:
    """The day on which an instant falls in an IANA time zone. Raises ValueError: no such zone, or a naive instant."""
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    return at.astimezone(zone(time_zone)).date()


def local_hour(at: datetime, time_zone: str) -> int:
    """The hour that the clock on the wall showed, 0 to 23: the one that an autumn night has twice is one here."""
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    return at.astimezone(zone(time_zone)).hour


def instants(first: date, last: date, time_zone: str) -> tuple[datetime, datetime]:
    """From the first instant of one day up to, and without, the first instant after another, in UTC."""
    local = zone(time_zone)
    start = datetime.combine(first, time.min, local)
    end = datetime.combine(last + timedelta(days=1), time.min, local)
    return start.astimezone(UTC), end.astimezone(UTC)


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a directory of zones, such as "America", is an OSError
        raise ValueError(f"unknown time zone {name[:40]!r}") from None
