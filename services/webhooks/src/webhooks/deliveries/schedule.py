"""When a delivery that failed is tried again: the schedule of the Standard Webhooks specification."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# Before the first try, the second, and so on; each counted from the one before.
SCHEDULE: Final = (
    timedelta(),
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
# So that what failed together does not come back together.
JITTER: Final = 0.2
MAX_RETRY_AFTER: Final = timedelta(hours=24)

GIVE_UP_AFTER: Final = timedelta(days=5)
"""An endpoint with nothing but failures for this long is switched off."""


def next_try(step: int, now: datetime, *, retry_after: timedelta | None = None) -> datetime | None:
    """When, after the `step`-th try of the schedule (the first is 1) has failed; None when that was the last.

    retry_after: what the endpoint asked for; it only ever makes the wait longer, to a day at most.
    """
    if step >= len(SCHEDULE):
        return None
    wait = SCHEDULE[step] * random.uniform(1, 1 + JITTER)  # noqa: S311 - jitter
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_RETRY_AFTER))
    return now + wait
