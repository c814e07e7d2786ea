"""Events of sales. Each is a snapshot of the sale at that moment."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.events.base import DomainEvent, EventModel, MoneyAmount


class SaleItem(EventModel):
    product_id: UUID
    name: str
    quantity: int
    unit_price: MoneyAmount
    discount: MoneyAmount
    tax: MoneyAmount
    total: MoneyAmount


class _SaleChange(DomainEvent):
    aggregate_type: ClassVar[str] = "sale"

    business_id: UUID
    branch_id: UUID
    status: str
    payment_method: str
    transaction_id: UUID | None
    subtotal: MoneyAmount
    discount: MoneyAmount
    tax: MoneyAmount
    total: MoneyAmount
    time_zone: str
    created_at: datetime


class SaleCreated(_SaleChange):
    type: ClassVar[str] = "sale.created"


class SaleCompleted(_SaleChange):
    type: ClassVar[str] = "sale.completed"

    completed_at: datetime
    items: list[SaleItem]


class SaleCanceled(_SaleChange):
    """reason: payment_failed, payment_expired, payment_unavailable, canceled_by_user."""

    type: ClassVar[str] = "sale.canceled"

    reason: str
    canceled_at: datetime
