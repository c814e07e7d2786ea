"""What callers who look after payment methods are told."""

from __future__ import annotations

from kernel import NotFound, RuleViolation


def method_not_found() -> NotFound:
    return NotFound("Payment method not found", code="payment_method_not_found")


def no_page() -> NotFound:
    return NotFound("This payment method has no QR code", code="qr_not_available")


def method_unusable() -> RuleViolation:
    return RuleViolation(
        "The payment method is not this business's, not active, or of another type", code="payment_method_unusable"
    )
