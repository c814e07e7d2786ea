"""When a week is told. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from analytics.days import zone
from analytics.period import Period

_FROM_HOUR: Final = 7
_TUESDAY: Final = 1


def week_to_tell(now: datetime, time_zone: str) -> Period | None:
    """The week before, from Monday at seven on the shop's clock; until Tuesday night, should nobody have looked before.
    Later it is no news any more."""
    local = now.astimezone(zone(time_zone))
    weekday = local.weekday()
    if weekday > _TUESDAY or (weekday == 0 and local.hour < _FROM_HOUR):
        return None
    monday: date = local.date() - timedelta(days=weekday)
    return Period(monday - timedelta(days=7), monday - timedelta(days=1))
