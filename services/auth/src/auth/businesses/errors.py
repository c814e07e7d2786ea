"""Errors about businesses."""

from __future__ import annotations

from kernel import FieldError, Forbidden, InvalidInput, NotFound, RuleViolation


def business_not_found() -> NotFound:
    # Word for word what Access says of another tenant's business.
    return NotFound("Business not found", code="business_not_found")


def not_a_merchant() -> Forbidden:
    return Forbidden("Only a merchant may open a business", code="not_a_merchant")


def country_is_fixed() -> RuleViolation:
    message = "The country of a business cannot change: its currency, taxes and payment provider follow from it"
    return RuleViolation(message, code="country_immutable", errors=[FieldError("country", "cannot change")])


def bad_tax_id(reason: str) -> InvalidInput:
    return InvalidInput.field("taxId", reason)
