"""What stock refuses."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kernel import RuleViolation


def insufficient_stock(available: Mapping[UUID, int]) -> RuleViolation:
    """available: what there is of each product that falls short; programs find it in metadata "products"."""
    listed = ",".join(f"{product_id}:{quantity}" for product_id, quantity in available.items())
    return RuleViolation("There is not enough stock", code="insufficient_stock", metadata={"products": listed})
