"""What a reservation refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from kernel import Conflict, NotFound, RuleViolation

BUSY: Final = "reservation_busy"


def products_not_found(product_ids: Iterable[UUID]) -> NotFound:
    listed = ",".join(map(str, product_ids))
    return NotFound("Product not found", code="product_not_found", metadata={"products": listed})


def reservation_not_found() -> NotFound:
    return NotFound("The sale has no reservation", code="reservation_not_found")


def reservation_released() -> RuleViolation:
    return RuleViolation("The reservation was released or has expired", code="reservation_released")


def reservation_committed() -> RuleViolation:
    return RuleViolation("The goods of this reservation are sold", code="reservation_committed")


def reservation_mismatch() -> Conflict:
    return Conflict("The sale has a reservation of other goods", code="reservation_mismatch")


def reservation_busy() -> Conflict:
    return Conflict("The reservation is being changed", code=BUSY, retry_after=1)


def not_sold() -> RuleViolation:
    return RuleViolation("The sale has taken no goods", code="not_sold")


def return_exceeds_sale(products: Iterable[UUID]) -> RuleViolation:
    listed = ",".join(map(str, products))
    return RuleViolation(
        "More than the sale took and earlier returns left", code="return_exceeds_sale", metadata={"products": listed}
    )


def return_mismatch() -> Conflict:
    return Conflict("There is a return of other goods under this id", code="return_mismatch")
