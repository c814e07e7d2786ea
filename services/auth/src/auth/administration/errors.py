"""Errors about administering users."""

from __future__ import annotations

from kernel import Conflict, Forbidden, NotFound, RuleViolation


def admins_only() -> Forbidden:
    return Forbidden("Only an administrator may do this", code="admin_only")


def user_not_found() -> NotFound:
    return NotFound("User not found", code="user_not_found")


def last_admin() -> Conflict:
    return Conflict("The last administrator can be neither deleted nor demoted", code="last_admin")


def owns_businesses() -> Conflict:
    message = "The user owns businesses; close them first"
    return Conflict(message, code="user_owns_businesses")


def phone_not_verified() -> RuleViolation:
    return RuleViolation("The account of this phone has not verified it yet", code="phone_not_verified")
