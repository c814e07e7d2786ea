"""Errors about members."""

from __future__ import annotations

from kernel import Conflict, FieldError, Forbidden, NotFound, RuleViolation


def member_not_found() -> NotFound:
    return NotFound("Member not found", code="member_not_found")


def member_exists() -> Conflict:
    message = "Someone with this phone is a member of the business, or invited to it"
    return Conflict(message, code="member_exists", errors=[FieldError("phone", "is already a member's")])


def unknown_branch() -> RuleViolation:
    message = "Employees are assigned to branches of the same business"
    return RuleViolation(message, code="unknown_branch", errors=[FieldError("branchIds", "names an unknown branch")])


def owner_is_fixed() -> RuleViolation:
    return RuleViolation("The owner of a business is neither changed nor removed", code="owner_immutable")


def not_your_membership() -> Forbidden:
    return Forbidden("Only the owner of the business may do this")
