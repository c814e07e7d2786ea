"""What is refused at the drawer."""

from __future__ import annotations

from kernel import Conflict, NotFound, RuleViolation
from sqlalchemy.exc import IntegrityError


def register_not_found() -> NotFound:
    return NotFound("Cash register not found", code="cash_register_not_found")


def register_closed() -> Conflict:
    return Conflict("The cash register is closed: open it first", code="cash_register_closed")


def register_open() -> Conflict:
    return Conflict("The cash register is open: close it first", code="cash_register_open")


def register_of_another_branch() -> RuleViolation:
    return RuleViolation("The cash register stands in another branch", code="cash_register_of_another_branch")


def name_taken() -> Conflict:
    return Conflict("Another cash register of this branch has this name", code="cash_register_name_taken")


def violated(error: IntegrityError, constraint: str) -> bool:
    """Whether this unique key is what the error is about."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) == constraint
