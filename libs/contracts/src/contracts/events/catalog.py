"""Events of products and stock."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.events.base import DomainEvent, MoneyAmount


class _ProductChange(DomainEvent):
    aggregate_type: ClassVar[str] = "product"

    business_id: UUID
    name: str
    sku: str | None
    price: MoneyAmount
    is_active: bool
    category: str | None = None
    cost: MoneyAmount | None = None


class ProductCreated(_ProductChange):
    type: ClassVar[str] = "product.created"


class ProductUpdated(_ProductChange):
    type: ClassVar[str] = "product.updated"


class ProductDeleted(_ProductChange):
    type: ClassVar[str] = "product.deleted"


class _StockLevel(DomainEvent):
    """aggregate_id is the stock level's id: one per product and branch."""

    aggregate_type: ClassVar[str] = "stock_level"

    business_id: UUID
    product_id: UUID
    branch_id: UUID
    on_hand: int
    reserved: int


class StockChanged(_StockLevel):
    """`change` is the signed difference of on_hand; movement_type IN, OUT, ADJUSTMENT, TRANSFER, SALE or RETURN."""

    type: ClassVar[str] = "stock.changed"

    change: int
    movement_type: str
    sale_id: UUID | None = None


class StockLow(_StockLevel):
    """Once per crossing of the product's minimum, from above."""

    type: ClassVar[str] = "stock.low"

    product_name: str
    min_stock: int
