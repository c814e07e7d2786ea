"""What can be wrong with a product."""

from __future__ import annotations

from kernel import Conflict, NotFound, RuleViolation
from sqlalchemy.exc import IntegrityError

_TAKEN = {
    "uq_products_business_id_sku": ("sku_taken", "Another product of this business has this sku"),
    "uq_products_business_id_barcode": ("barcode_taken", "Another product of this business has this barcode"),
}


def product_not_found() -> NotFound:
    return NotFound("Product not found", code="product_not_found")


def branch_needed() -> RuleViolation:
    return RuleViolation("Stock lies in a branch, and this business has none yet", code="branch_needed")


def taken(error: IntegrityError) -> Conflict | None:
    """The conflict behind a violated unique key; None when the error is something else."""
    cause = getattr(error.orig, "__cause__", None)
    found = _TAKEN.get(getattr(cause, "constraint_name", None) or "")
    return Conflict(found[1], code=found[0]) if found else None
