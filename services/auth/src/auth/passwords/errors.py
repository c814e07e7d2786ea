"""Errors about passwords."""

from __future__ import annotations

from kernel import FieldError, InvalidInput, RateLimited, RuleViolation


def weak_password(field: str, reason: str) -> InvalidInput:
    return InvalidInput.field(field, reason)


def wrong_password() -> RuleViolation:
    # Not a 401, upon which clients log their user out.
    message = "The current password is wrong"
    return RuleViolation(message, code="wrong_password", errors=[FieldError("currentPassword", "is wrong")])


def hashing_busy(retry_after: int) -> RateLimited:
    return RateLimited("Too many log-ins at this moment", code="login_busy", retry_after=retry_after)
