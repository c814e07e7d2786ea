"""What a merchant is told about deliveries."""

from __future__ import annotations

from kernel import InvalidInput, NotFound


def delivery_not_found() -> NotFound:
    return NotFound("Delivery not found", code="webhook_delivery_not_found")


def since_out_of_range(days: int) -> InvalidInput:
    return InvalidInput.field("since", f"must be a time with its zone, of the last {days} days")
