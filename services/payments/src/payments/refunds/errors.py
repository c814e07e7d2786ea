"""What callers who want money given back are told."""

from __future__ import annotations

from kernel import Conflict, Money, NotFound, RuleViolation


def refund_not_found() -> NotFound:
    return NotFound("Refund not found", code="refund_not_found")


def not_refundable(status: str) -> Conflict:
    return Conflict(f"A payment that is {status} cannot be refunded", code="payment_not_refundable")


def exceeds_payment(left: Money) -> RuleViolation:
    return RuleViolation(
        f"At most {left} {left.currency} of this payment can still be refunded",
        code="refund_exceeds_payment",
        metadata={"left": str(left)},
    )


def not_supported(provider: str) -> RuleViolation:
    return RuleViolation(
        f"{provider} gives no money back for this method of payment: pay the buyer back by other means",
        code="refund_not_supported",
    )


def partial_not_supported(provider: str) -> RuleViolation:
    return RuleViolation(
        f"{provider} gives back this method of payment as a whole only", code="partial_refund_not_supported"
    )


def in_progress() -> Conflict:
    return Conflict(
        "Another refund of this payment is on its way to the provider", code="refund_in_progress", retry_after=2
    )


def declined(code: str) -> RuleViolation:
    return RuleViolation(f"The provider declined it ({code})", code="refund_declined")
