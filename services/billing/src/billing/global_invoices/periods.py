"""Which period a day is of. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import assert_never

from fiscal.document import Period, Periodicity


def period_of(periodicity: Periodicity, day: date) -> Period:
    """No period goes beyond its month, which is what the authority is told."""
    start, end = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    match periodicity:
        case Periodicity.DAILY:
            first = last = day
        case Periodicity.WEEKLY:
            monday = day - timedelta(days=day.weekday())
            first, last = max(monday, start), min(monday + timedelta(days=6), end)
        case Periodicity.FORTNIGHTLY:
            middle = day.replace(day=15)
            first, last = (start, middle) if day <= middle else (middle + timedelta(days=1), end)
        case Periodicity.MONTHLY:
            first, last = start, end
        case _:
            assert_never(periodicity)
    return Period(first=first, last=last, periodicity=periodicity)
