"""What is refused of a sale that was made offline, with stable codes."""

from __future__ import annotations

from kernel import Conflict, FieldError, RuleViolation


def id_reused() -> Conflict:
    """The same words for another sale of this business and for somebody else's: which it is, is not told."""
    return Conflict("This id has been used for another sale", code="sale_id_reused")


def sold_in_future() -> RuleViolation:
    return RuleViolation(
        "soldAt lies in the future: the till's clock is wrong",
        code="sold_in_future",
        errors=[FieldError("soldAt", "lies in the future")],
    )


def sold_too_long_ago(days: int) -> RuleViolation:
    return RuleViolation(
        f"soldAt is more than {days} days ago",
        code="sold_too_long_ago",
        errors=[FieldError("soldAt", f"must be within the last {days} days")],
    )


def not_cash() -> RuleViolation:
    return RuleViolation(
        "A sale made offline can only have been paid in cash",
        code="offline_sale_not_cash",
        errors=[FieldError("payment.method", "must be CASH")],
    )
