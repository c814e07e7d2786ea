"""The pure rules of stock movements: what each type does to which branch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from kernel import InvalidInput


class MovementType(StrEnum):
    IN = "IN"
    OUT = "OUT"
    ADJUSTMENT = "ADJUSTMENT"
    TRANSFER = "TRANSFER"
    SALE = "SALE"
    RETURN = "RETURN"


class ManualType(StrEnum):
    """The movements a person records; sales and returns come from the sale."""

    IN = "IN"
    OUT = "OUT"
    ADJUSTMENT = "ADJUSTMENT"
    TRANSFER = "TRANSFER"


@dataclass(frozen=True, slots=True)
class Change:
    """A signed difference of one branch's on_hand. other_branch_id: the other end of a transfer."""

    branch_id: UUID
    change: int
    other_branch_id: UUID | None = None


def changes_of(kind: ManualType, quantity: int, branch_id: UUID, to_branch_id: UUID | None) -> list[Change]:
    """In the order in which branches are locked everywhere. Raises InvalidInput where the fields do not go together."""
    if quantity == 0 or (quantity < 0 and kind is not ManualType.ADJUSTMENT):
        raise InvalidInput.field("quantity", "must be positive; only an ADJUSTMENT may be negative, and none is zero")
    if kind is not ManualType.TRANSFER:
        if to_branch_id is not None:
            raise InvalidInput.field("toBranchId", "is for a TRANSFER only")
        return [Change(branch_id, -quantity if kind is ManualType.OUT else quantity)]
    if to_branch_id is None:
        raise InvalidInput.field("toBranchId", "is needed for a TRANSFER")
    if to_branch_id == branch_id:
        raise InvalidInput.field("toBranchId", "must be another branch")
    both = [Change(branch_id, -quantity, to_branch_id), Change(to_branch_id, quantity, branch_id)]
    return sorted(both, key=lambda change: change.branch_id)
