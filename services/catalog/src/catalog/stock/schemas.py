"""Request and response models of stock levels and movements."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from chassis.http.schemas import RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import Field

from catalog.stock.models import StockMovement
from catalog.stock.movement import ManualType, MovementType

MAX_QUANTITY = 100_000_000


class StockLevelOut(ResponseModel):
    """available = onHand - reserved."""

    branch_id: UUID
    on_hand: int
    reserved: int
    available: int


class MovementCreate(RequestModel):
    """quantity: positive, or for an ADJUSTMENT the signed difference between what was counted and what was booked."""

    branch_id: UUID
    type: ManualType
    quantity: Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, strict=True)]
    to_branch_id: UUID | None = None
    reason: Text | None = None


class MovementOut(ResponseModel):
    """change: the signed difference of the branch's on-hand stock; quantity: its size, signed for an ADJUSTMENT;
    onHand: what lay there afterwards. A transfer is two movements with one transferId."""

    id: UUID
    product_id: UUID
    branch_id: UUID
    type: MovementType
    quantity: int
    change: int
    on_hand: int
    reason: str | None
    sale_id: UUID | None
    transfer_id: UUID | None
    from_branch_id: UUID | None
    to_branch_id: UUID | None
    created_by: UUID | None
    created_at: UtcDatetime

    @classmethod
    def of(cls, movement: StockMovement) -> MovementOut:
        leaves = movement.change < 0
        return cls(
            id=movement.id,
            product_id=movement.product_id,
            branch_id=movement.branch_id,
            type=MovementType(movement.type),
            quantity=movement.change if movement.type == MovementType.ADJUSTMENT else abs(movement.change),
            change=movement.change,
            on_hand=movement.on_hand,
            reason=movement.reason,
            sale_id=movement.sale_id,
            transfer_id=movement.transfer_id,
            from_branch_id=None if leaves else movement.other_branch_id,
            to_branch_id=movement.other_branch_id if leaves else None,
            created_by=movement.created_by,
            created_at=movement.created_at,
        )
