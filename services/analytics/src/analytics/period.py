"""The days a report covers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from kernel import InvalidInput
from pydantic import BeforeValidator

MAX_DAYS: Final = 366
_FORM: Final = re.compile(r"(20|21)\d\d-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last of some days of a business's calendar, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: date | None, last: date | None, *, today: date) -> Period:
        """Today where nothing is named; up to, or from, today where one end is, and that is not beyond it.

        Raises InvalidInput: the end before the start, or more than MAX_DAYS days.
        """
        start = first or min(last or today, today)
        end = last or max(start, today)
        if end < start:
            raise InvalidInput.field("to", "must not be before from")
        if (end - start).days >= MAX_DAYS:
            raise InvalidInput.field("to", f"must be within {MAX_DAYS} days of from")
        return cls(start, end)


def _calendar_day(value: Any) -> Any:
    # Left alone, 0, 1700000000 and 20260115 would be days too.
    if isinstance(value, str) and not _FORM.fullmatch(value):
        raise ValueError("must be a day such as 2026-01-31")
    return value


CalendarDay = Annotated[date, BeforeValidator(_calendar_day)]
"""A day as YYYY-MM-DD, from 2000 to 2199."""
