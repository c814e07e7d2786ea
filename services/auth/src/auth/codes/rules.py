"""What a one-time code is for, how long it lives, how often it may be tried and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105


class Channel(StrEnum):
    """How a code reaches its user."""

    SMS = "sms"
    EMAIL = "email"


LIFETIME = timedelta(minutes=10)
MAX_ATTEMPTS = 5
# For one phone or e-mail address and one purpose.
RESEND_AFTER = timedelta(seconds=60)
PER_HOUR = 5
# For one user, whatever they were asked for with.
PER_HOUR_AND_USER = 10
HOUR = timedelta(hours=1)


def next_at(earlier: Sequence[datetime], now: datetime) -> datetime:
    """When the next code may be asked for, with those `earlier` ones, newest first: `now` when that is at once."""
    if not earlier:
        return now
    after_last = earlier[0] + RESEND_AFTER
    after_hour = earlier[PER_HOUR - 1] + HOUR if len(earlier) >= PER_HOUR else now
    return max(now, after_last, after_hour)
