"""Events of sales. Each is a snapshot of the sale at that moment."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.events.base import DomainEvent, EventModel, MoneyAmount


class SaleItem(EventModel):
    product_id: UUID
    name: str
    quantity: int
    unit_price: MoneyAmount
    discount: MoneyAmount
    tax: MoneyAmount
    total: MoneyAmount


class SalePart(EventModel):
    """One way in which a part of the sale was paid. payment_id: the transaction's, None for CASH."""

    method: str
    amount: MoneyAmount
    payment_id: UUID | None = None


class RefundedItem(EventModel):
    """What was taken back of one line. amount: given back for it, tax included; tax: contained in amount."""

    product_id: UUID
    name: str
    quantity: int
    amount: MoneyAmount
    tax: MoneyAmount
    restocked: bool


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
    # When the buyer left with the goods: before created_at for a sale that an offline till sent later.
    sold_at: datetime | None = None
    payments: list[SalePart] = Field(default_factory=list)
    cash_session_id: UUID | None = None


class SaleRefunded(_SaleChange):
    """One refund, whole or by items, whose goods and money are decided; status is the sale's after it.

    amount: of this refund; refunded_total: of all so far. A refund of money alone has no items.
    """

    type: ClassVar[str] = "sale.refunded"

    refund_id: UUID
    amount: MoneyAmount
    refunded_tax: MoneyAmount
    refunded_total: MoneyAmount
    parts: list[SalePart]
    items: list[RefundedItem]
    reason: str | None
    refunded_at: datetime


class SaleCanceled(_SaleChange):
    """reason: payment_failed, payment_expired, payment_unavailable, canceled_by_user."""

    type: ClassVar[str] = "sale.canceled"

    reason: str
    canceled_at: datetime


class _CashSessionChange(DomainEvent):
    """A drawer is opened and closed. business_day: the local day of its opening, which all its sales belong to."""

    aggregate_type: ClassVar[str] = "cash_register"

    business_id: UUID
    branch_id: UUID
    cash_session_id: UUID
    register_name: str
    business_day: date
    time_zone: str
    opening_cash: MoneyAmount
    opened_at: datetime
    opened_by: UUID


class CashRegisterOpened(_CashSessionChange):
    type: ClassVar[str] = "cash_register.opened"


class CashRegisterClosed(_CashSessionChange):
    """difference: counted minus expected, negative when cash is missing."""

    type: ClassVar[str] = "cash_register.closed"

    closed_at: datetime
    closed_by: UUID
    expected_cash: MoneyAmount
    closing_cash: MoneyAmount
    difference: MoneyAmount
    needs_approval: bool
    exceptions: int
