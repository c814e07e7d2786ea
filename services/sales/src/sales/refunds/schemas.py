"""Requests and responses of refunds."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from chassis.http.schemas import Amount, RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import Field, model_validator

from sales.refunds.status import RefundStatus
from sales.sales.status import PaymentMethod, SaleStatus


class RefundItemIn(RequestModel):
    """Units of one line (itemId), or of a product wherever the sale has it (productId)."""

    item_id: UUID | None = None
    product_id: UUID | None = None
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.item_id is None) == (self.product_id is None):
            raise ValueError("give itemId or productId")
        return self


class RefundIn(RequestModel):
    """Without items and amount: everything that is left. items: these goods and their money. amount: money alone, as
    for a price that was wrong. restock: whether the goods go back on the shelf. cashRegisterId: the drawer that cash
    comes out of; by default the one it went into, or the branch's only open one."""

    items: Annotated[list[RefundItemIn], Field(min_length=1, max_length=200)] | None = None
    amount: Amount | None = None
    reason: Text | None = None
    restock: bool = True
    cash_register_id: UUID | None = None

    @model_validator(mode="after")
    def _means_one(self) -> Self:
        if self.items is not None and self.amount is not None:
            raise ValueError("give items or amount, not both")
        return self


class RefundPartOut(ResponseModel):
    """transactionId: the payment's, null for CASH. amount: what is handed over."""

    method: PaymentMethod
    amount: str
    transaction_id: UUID | None


class RefundItemOut(ResponseModel):
    """amount includes tax; quantity 0 is money without goods."""

    item_id: UUID
    product_id: UUID
    name: str
    quantity: int
    amount: str
    tax: str


class RefundOut(ResponseModel):
    """tax is contained in amount. rounding is what cash rounding adds to what is handed over. PENDING: the provider has
    not given its part back yet; the cash part waits for it. failureReason: why nothing was given back. note: what
    somebody should look at although it has succeeded: restock_refused."""

    id: UUID
    sale_id: UUID
    business_id: UUID
    branch_id: UUID
    status: RefundStatus
    sale_status: SaleStatus
    currency: str
    amount: str
    tax: str
    rounding: str
    parts: list[RefundPartOut]
    items: list[RefundItemOut]
    restock: bool
    reason: str | None
    cash_session_id: UUID | None
    failure_reason: str | None
    note: str | None
    origin: str
    created_by: UUID | None
    created_at: UtcDatetime
    completed_at: UtcDatetime | None
