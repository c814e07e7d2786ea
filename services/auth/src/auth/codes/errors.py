"""Errors about one-time codes."""

from __future__ import annotations

from kernel import FieldError, NotFound, RateLimited, RuleViolation


def code_invalid() -> RuleViolation:
    """Wrong, used, replaced, expired, tried too often, never asked for, of a user who does not exist: all the same."""
    reason = "is wrong or no longer valid"
    return RuleViolation(f"The code {reason}", code="code_invalid", errors=[FieldError("code", reason)])


def code_throttled(retry_after: int) -> RateLimited:
    return RateLimited(
        "A code was asked for a moment ago, or too many were", code="code_throttled", retry_after=retry_after
    )


def code_not_found() -> NotFound:
    return NotFound("There is no such code, or it can no longer be used", code="code_not_found")


def email_missing() -> RuleViolation:
    return RuleViolation("The user has no e-mail address", code="email_missing")


def already_verified() -> RuleViolation:
    return RuleViolation("This has been verified before", code="already_verified")
