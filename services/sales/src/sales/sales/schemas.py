"""Requests and responses of /sales."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from chassis.http.schemas import Amount, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import AfterValidator, Field, model_validator

from sales.sales.status import PaymentMethod, SaleStatus

_PHONE = re.compile(r"\+[1-9]\d{7,14}")
_EMAIL = re.compile(r"[^@\s<>\"',;:()\[\]\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_TAX_ID = re.compile(r"[0-9A-Za-zÑñ&.\-]{5,20}")


def _phone(value: str) -> str:
    compact = re.sub(r"[ ()-]", "", value)
    if not _PHONE.fullmatch(compact):
        raise ValueError("must be a phone number in E.164 form such as +525512345678")
    return compact


def _email(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise ValueError("must be an e-mail address")
    return value


def _tax_id(value: str) -> str:
    if not _TAX_ID.fullmatch(value):
        raise ValueError("must be 5 to 20 letters, digits, dots or hyphens")
    return value.upper()


class CustomerIn(RequestModel):
    """The buyer, as far as they want to be known. Stored encrypted."""

    name: Text | None = None
    phone: Annotated[Text, AfterValidator(_phone)] | None = None
    email: Annotated[Text, AfterValidator(_email)] | None = None
    tax_id: Annotated[Text, AfterValidator(_tax_id)] | None = None


class SaleItemIn(RequestModel):
    """discount: an amount off the line, not off each unit."""

    product_id: UUID
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    discount: Amount = Decimal(0)


class PaymentIn(RequestModel):
    """tendered: what the buyer handed over, CASH only. expiresIn: seconds the buyer has to pay, all but CASH."""

    method: PaymentMethod
    tendered: Amount | None = None
    expires_in: Annotated[int, Field(strict=True, ge=60, le=2_592_000)] | None = None

    @model_validator(mode="after")
    def _belongs(self) -> PaymentIn:
        if self.method is PaymentMethod.CASH and self.expires_in is not None:
            raise ValueError("expiresIn does not go with CASH")
        if self.method is not PaymentMethod.CASH and self.tendered is not None:
            raise ValueError("tendered goes with CASH only")
        return self


class SaleIn(RequestModel):
    """discount: an amount off the whole sale, spread over its lines. Prices come from the catalogue."""

    business_id: UUID
    branch_id: UUID | None = None
    items: Annotated[list[SaleItemIn], Field(min_length=1, max_length=200)]
    discount: Amount = Decimal(0)
    customer: CustomerIn | None = None
    notes: LongText | None = None
    payment: PaymentIn


class CancelIn(RequestModel):
    """Canceling takes no parameters."""


class SaleItemOut(ResponseModel):
    """unitPrice and total include tax; discount includes the line's share of the sale's."""

    id: UUID
    product_id: UUID
    name: str
    sku: str | None
    quantity: int
    unit_price: str
    discount: str
    tax_rate: str
    tax: str
    total: str


class TransferOut(ResponseModel):
    clabe: str | None = None
    reference: str | None = None
    bank: str | None = None


class PaymentOut(ResponseModel):
    """id is the transaction's, null for CASH and while payments has not answered yet."""

    id: UUID | None
    method: PaymentMethod
    status: str | None
    qr_code_url: str | None = None
    payment_link: str | None = None
    transfer: TransferOut | None = None
    expires_at: UtcDatetime | None = None
    confirmed_at: UtcDatetime | None = None


class CustomerOut(ResponseModel):
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    tax_id: str | None = None


class SaleOut(ResponseModel):
    """subtotal - discount + tax = total. total is what is charged and includes tax; tax is the part of total that is
    tax; discount is everything taken off, on lines and on the whole; subtotal is the goods before discounts, without
    that tax. paymentNote tells what is odd about the money: late_payment_accepted, late_payment_refunded,
    refund_failed, amount_mismatch."""

    id: UUID
    business_id: UUID
    branch_id: UUID
    status: SaleStatus
    currency: str
    items: list[SaleItemOut]
    subtotal: str
    tax: str
    discount: str
    total: str
    tendered: str | None
    change: str | None
    refunded_amount: str
    transaction_id: UUID | None
    payment: PaymentOut
    payment_note: str | None
    customer: CustomerOut | None
    notes: str | None
    cancel_reason: str | None
    created_by: UUID
    created_at: UtcDatetime
    updated_at: UtcDatetime
    completed_at: UtcDatetime | None
    canceled_at: UtcDatetime | None


def customer_fields(customer: CustomerIn | None) -> dict[str, Any] | None:
    """The known fields by their names in JSON, None when there are none."""
    known = customer.model_dump(by_alias=True, exclude_none=True) if customer else {}
    return known or None
