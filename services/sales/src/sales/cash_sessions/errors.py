"""What is refused of a session."""

from __future__ import annotations

from kernel import Conflict, Forbidden, NotFound, RuleViolation


def session_not_found() -> NotFound:
    return NotFound("Cash session not found", code="cash_session_not_found")


def session_open() -> Conflict:
    return Conflict("The session is still open", code="cash_session_open")


def nothing_to_approve() -> Conflict:
    return Conflict("The session needs no approval", code="cash_session_needs_no_approval")


def insufficient_cash() -> RuleViolation:
    """How much there is remains untold: a count is blind."""
    return RuleViolation("There is not that much cash in the drawer", code="insufficient_cash")


def count_is_blind() -> Forbidden:
    return Forbidden("The drawer is counted before its ledger is shown", code="count_is_blind")
