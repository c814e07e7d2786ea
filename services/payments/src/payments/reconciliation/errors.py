"""What administrators who reconcile are told."""

from __future__ import annotations

from kernel import Forbidden, NotFound, RuleViolation


def admins_only() -> Forbidden:
    return Forbidden("Only administrators reconcile with providers")


def not_found() -> NotFound:
    return NotFound("Reconciliation not found", code="reconciliation_not_found")


def not_in_use(provider: str) -> RuleViolation:
    return RuleViolation(f"{provider} is not in use here", code="reconciliation_not_supported")


def not_over() -> RuleViolation:
    return RuleViolation("This day is not over yet", code="day_not_over")
