"""What a one-time code is for, how long it lives, how often it may be tried and asked for."""

from __future__ import annotations

from datetime import timedelta
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
