"""Stretches of the calendar. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never


class Interval(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def start_of(day: date, interval: Interval) -> date:
    """The first day of the stretch that holds `day`; weeks begin on Monday (ISO 8601)."""
    match interval:
        case Interval.DAY:
            return day
        case Interval.WEEK:
            return day - timedelta(days=day.weekday())
        case Interval.MONTH:
            return day.replace(day=1)
        case _:
            assert_never(interval)


def starts(first: date, last: date, interval: Interval) -> list[date]:
    """Every stretch that a day between the two, both included, belongs to."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return list(dict.fromkeys(start_of(day, interval) for day in days))
