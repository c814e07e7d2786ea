"""Changes of stock as events."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from contracts.events import DomainEvent
from contracts.events.catalog import StockChanged, StockLow

from catalog.stock.movement import MovementType


@dataclass(frozen=True, slots=True)
class ChangedLevel:
    """A stock level after a change of its on_hand, with what it takes to see whether that crossed the minimum."""

    id: UUID
    business_id: UUID
    product_id: UUID
    branch_id: UUID
    on_hand: int
    reserved: int
    version: int
    change: int
    product_name: str
    min_stock: int

    @property
    def became_low(self) -> bool:
        return self.on_hand <= self.min_stock < self.on_hand - self.change


def events_of(level: ChangedLevel, kind: MovementType, *, sale_id: UUID | None = None) -> list[DomainEvent]:
    """stock.changed, and stock.low when this very change crossed the minimum from above."""
    changed = StockChanged(
        aggregate_id=level.id,
        aggregate_version=level.version,
        business_id=level.business_id,
        product_id=level.product_id,
        branch_id=level.branch_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        change=level.change,
        movement_type=kind.value,
        sale_id=sale_id,
    )
    if not level.became_low:
        return [changed]
    low = StockLow(
        aggregate_id=level.id,
        aggregate_version=level.version,
        business_id=level.business_id,
        product_id=level.product_id,
        branch_id=level.branch_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        product_name=level.product_name,
        min_stock=level.min_stock,
    )
    return [changed, low]
