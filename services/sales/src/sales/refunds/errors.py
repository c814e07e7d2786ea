"""What this feature refuses, with stable codes."""

from __future__ import annotations

from kernel import Conflict, FieldError, Forbidden, RuleViolation


def sale_not_sold(status: str) -> Conflict:
    return Conflict(f"Only a sold sale can be refunded, and this one is {status}", code="sale_not_refundable")


def nothing_to_refund() -> RuleViolation:
    return RuleViolation("Nothing is left of the sale to refund", code="nothing_to_refund")


def exceeds_sale(field: str, left: str) -> RuleViolation:
    return RuleViolation(
        "More than what is left of the sale would be refunded",
        code="refund_exceeds_sale",
        errors=[FieldError(field, f"at most {left} can still be refunded")],
    )


def item_not_found(index: int) -> RuleViolation:
    return RuleViolation(
        "The sale has no such item",
        code="item_not_in_sale",
        errors=[FieldError(f"items.{index}", "is not an item of this sale")],
    )


def needs_owner(limit: str) -> Forbidden:
    return Forbidden(f"A refund beyond {limit} of one sale needs the owner", code="refund_needs_owner")


def refused(code: str | None) -> RuleViolation:
    return RuleViolation(
        "The payment provider did not give the money back; nothing was refunded", code=code or "refund_declined"
    )
