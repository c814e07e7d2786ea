"""What this feature refuses, with stable codes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel import CobroError, Conflict, FieldError, InvalidInput, NotFound, RuleViolation


def sale_not_found() -> NotFound:
    return NotFound("Sale not found", code="sale_not_found")


def sale_already_paid() -> Conflict:
    return Conflict("The sale has been paid and can no longer be canceled", code="sale_already_paid")


def sale_not_pending(status: str) -> Conflict:
    return Conflict(f"The sale is {status} and not PENDING_PAYMENT", code="sale_not_pending")


def sale_in_progress() -> Conflict:
    return Conflict("The sale is still being worked on; try again", code="sale_in_progress", retry_after=1)


def payment_still_open() -> Conflict:
    return Conflict(
        "The cancellation was asked for, but the payment provider has not let go of the payment yet",
        code="payment_still_open",
        retry_after=2,
    )


def business_inactive() -> RuleViolation:
    return RuleViolation("The business is not active", code="business_inactive")


def branch_inactive() -> RuleViolation:
    return RuleViolation("The branch is not active", code="branch_inactive")


def branch_needed() -> RuleViolation:
    return RuleViolation("Open a branch before selling", code="branch_needed")


def discount_too_large(line: int | None) -> RuleViolation:
    field = "discount" if line is None else f"items.{line}.discount"
    return RuleViolation(
        "A discount is larger than the amount it is taken from",
        code="discount_too_large",
        errors=[FieldError(field, "is larger than the amount it is taken from")],
    )


def amount_out_of_range() -> RuleViolation:
    return RuleViolation("The sale's amounts are out of range", code="amount_out_of_range")


def nothing_to_pay() -> RuleViolation:
    return RuleViolation("A total of zero can only be sold as CASH", code="nothing_to_pay")


def insufficient_tender(total: str) -> RuleViolation:
    return RuleViolation(
        f"The amount tendered does not cover the total of {total}",
        code="insufficient_tender",
        errors=[FieldError("payment.tendered", f"must be at least {total}")],
    )


def parts_do_not_add_up(total: str) -> RuleViolation:
    return RuleViolation(
        f"The parts of the payment do not add up to the total of {total}",
        code="payments_do_not_add_up",
        errors=[FieldError("payments", f"must add up to {total}, each of them more than nothing")],
    )


def payment_refused(reason: str | None) -> RuleViolation:
    return RuleViolation(
        "The payment was refused and the sale was canceled", code=reason or "payment_failed", metadata={}
    )


def amount_invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput.field(field, message)


def with_stock_details(error: CobroError, products: Sequence[UUID]) -> CobroError:
    """insufficient_stock, telling per line of the request how much there is ("products": "id:available,…")."""
    available = dict(pair.partition(":")[::2] for pair in error.metadata.get("products", "").split(",") if pair)
    fields = [
        FieldError(f"items.{index}.quantity", f"only {available[str(product)]} available")
        for index, product in enumerate(products)
        if str(product) in available
    ]
    return RuleViolation(error.message, code=error.code, errors=fields, metadata=error.metadata)
