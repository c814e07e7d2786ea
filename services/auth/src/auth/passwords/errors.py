"""Errors about passwords."""

from __future__ import annotations

from kernel import InvalidInput, RateLimited


def weak_password(field: str, reason: str) -> InvalidInput:
    return InvalidInput.field(field, reason)


def hashing_busy(retry_after: int) -> RateLimited:
    return RateLimited("Too many log-ins at this moment", code="login_busy", retry_after=retry_after)
