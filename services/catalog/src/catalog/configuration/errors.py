"""What a change of settings refuses."""

from __future__ import annotations

from kernel import RuleViolation


def stock_is_negative(levels: int) -> RuleViolation:
    """levels: how many products of branches are below zero, or promised beyond what there is."""
    return RuleViolation(
        "Stock is below zero; correct it before it may no longer be",
        code="stock_is_negative",
        metadata={"levels": str(levels)},
    )
