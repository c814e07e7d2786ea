"""Requests and responses of /sales."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Any, Self
from uuid import UUID

from chassis.http.schemas import Amount, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sales.sales.status import PaymentMethod, SaleStatus

_PHONE = re.compile(r"\+[1-9]\d{7,14}")
_EMAIL = re.compile(r"[^@\s<>\"',;:()\[\]\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_TAX_ID = re.compile(r"[0-9A-Za-zÑñ&.\-]{5,20}")
_DOCUMENT_TYPE = re.compile(r"[A-Za-z]{1,10}")
_DOCUMENT_NUMBER = re.compile(r"[0-9A-Za-z.\-]{3,20}")
_BANK_CODE = r"^[0-9A-Za-z]{1,20}$"
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


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


def _ip_address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("must be an IP address") from None


def _document_type(value: str) -> str:
    if not _DOCUMENT_TYPE.fullmatch(value):
        raise ValueError("must be the kind of document, such as CC, CE, NIT, CUIT or RUT")
    return value.upper()


def _document_number(value: str) -> str:
    if not _DOCUMENT_NUMBER.fullmatch(value):
        raise ValueError("must be 3 to 20 letters, digits, dots or hyphens")
    return value.upper()


def _percent(value: Any) -> Any:
    text = repr(value) if isinstance(value, float) else str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _PERCENT.fullmatch(text):
        raise ValueError('must be a percentage such as "12.5", with at most 4 decimals')
    if Decimal(text) > 100:
        raise ValueError("must be at most 100")
    return Decimal(text)


class PersonType(StrEnum):
    """As banks tell people from companies in Colombia: natural, jurídica."""

    NATURAL = "N"
    LEGAL = "J"


class DocumentIn(RequestModel):
    """An identity document. type: CC, CE, NIT (Colombia), CUIT, DNI (Argentina), RUT (Chile), …"""

    type: Annotated[Text, AfterValidator(_document_type)]
    number: Annotated[Text, AfterValidator(_document_number)]


class CustomerIn(RequestModel):
    """The buyer, as far as they want to be known. Stored encrypted. A bank transfer in Colombia asks for name, e-mail,
    phone, document and personType."""

    name: Text | None = None
    phone: Annotated[Text, AfterValidator(_phone)] | None = None
    email: Annotated[Text, AfterValidator(_email)] | None = None
    tax_id: Annotated[Text, AfterValidator(_tax_id)] | None = None
    document: DocumentIn | None = None
    person_type: PersonType | None = None


Percentage = Annotated[
    Decimal,
    BeforeValidator(_percent),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,4})?$", "examples": ["12.5"]}),
]


_AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)


class DiscountIn(RequestModel):
    """{"amount": "10.00"} or {"percent": "12.5"}; a bare "10.00" is an amount."""

    amount: Amount | None = None
    percent: Percentage | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if not isinstance(value, str | int | float | Decimal):
            return value
        try:
            return {"amount": _AMOUNT.validate_python(value)}
        except ValidationError as error:
            # Said of the field itself: the client wrote no "amount".
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    @model_validator(mode="after")
    def _means_one(self) -> Self:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("give amount or percent")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        amount = {"type": "string", "pattern": r"^\d+(\.\d+)?$", "examples": ["10.00"]}
        percent = {"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,4})?$", "examples": ["12.5"]}
        forms = [
            {"type": "object", "properties": {name: kind}, "required": [name], "additionalProperties": False}
            for name, kind in (("amount", amount), ("percent", percent))
        ]
        return {"title": "Discount", "description": cls.__doc__, "anyOf": [amount, *forms]}


class SaleItemIn(RequestModel):
    """discount: off the line, not off each unit."""

    product_id: UUID
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    discount: DiscountIn | None = None


class DeviceIn(RequestModel):
    """The buyer's browser, where a provider asks for it; the request's own where this is not given."""

    ip_address: Annotated[str, AfterValidator(_ip_address)] | None = None
    user_agent: Text | None = None
    session_id: Text | None = None
    cookie: Text | None = None


class PaymentIn(RequestModel):
    """tendered, cashRegisterId: CASH only; what the buyer handed over, and the drawer it went into (by default the
    branch's only open one). expiresIn, bankCode, device: all but CASH; seconds the buyer has to pay, and what a bank
    transfer in Colombia asks for."""

    method: PaymentMethod
    tendered: Amount | None = None
    cash_register_id: UUID | None = None
    expires_in: Annotated[int, Field(strict=True, ge=60, le=2_592_000)] | None = None
    bank_code: Annotated[str, StringConstraints(pattern=_BANK_CODE)] | None = None
    device: DeviceIn | None = None

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        cash = self.method is PaymentMethod.CASH
        strange = ("expires_in", "bank_code", "device") if cash else ("tendered", "cash_register_id")
        for name in strange:
            if getattr(self, name) is not None:
                raise ValueError(f"{to_camel(name)} {'does not go with CASH' if cash else 'goes with CASH only'}")
        return self


class PartIn(PaymentIn):
    """A part of a split payment. Without an amount it is what the other part leaves."""

    amount: Amount | None = None


class SaleIn(RequestModel):
    """discount: off the whole sale, spread over its lines. Prices come from the catalogue. payments instead of payment:
    a part in CASH and a part by one other method."""

    business_id: UUID
    branch_id: UUID | None = None
    items: Annotated[list[SaleItemIn], Field(min_length=1, max_length=200)]
    discount: DiscountIn | None = None
    customer: CustomerIn | None = None
    notes: LongText | None = None
    payment: PaymentIn | None = None
    payments: Annotated[list[PartIn], Field(min_length=1, max_length=2)] | None = None

    @model_validator(mode="after")
    def _paid_one_way(self) -> Self:
        if (self.payment is None) == (self.payments is None):
            raise ValueError("give payment or payments")
        parts = self.payments or ()
        if len(parts) == 2:
            if [part.method for part in parts].count(PaymentMethod.CASH) != 1:
                raise ValueError("a split payment is a part in CASH and a part by another method")
            if all(part.amount is None for part in parts):
                raise ValueError("at least one part needs an amount")
        return self

    def part(self, *, cash: bool) -> PaymentIn | None:
        """The part in cash, or the part by another method."""
        parts: Sequence[PaymentIn] = self.payments or [part for part in (self.payment,) if part is not None]
        return next((part for part in parts if (part.method is PaymentMethod.CASH) == cash), None)


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


class PartOut(ResponseModel):
    """amount: what is handed over. transactionId: the payment's, null for CASH."""

    method: PaymentMethod
    amount: str
    status: str | None
    transaction_id: UUID | None


class PaymentOut(ResponseModel):
    """What the buyer needs to pay; of a split payment the part that is not cash. id is the transaction's, null for CASH
    and while payments has not answered yet."""

    id: UUID | None
    method: PaymentMethod
    status: str | None
    qr_code_url: str | None = None
    payment_link: str | None = None
    transfer: TransferOut | None = None
    expires_at: UtcDatetime | None = None
    confirmed_at: UtcDatetime | None = None


class DocumentOut(ResponseModel):
    type: str
    number: str


class CustomerOut(ResponseModel):
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    tax_id: str | None = None
    document: DocumentOut | None = None
    person_type: str | None = None


class SaleOut(ResponseModel):
    """subtotal - discount + tax = total. total is what is charged and includes tax; tax is the part of total that is
    tax; discount is everything taken off, on lines and on the whole; subtotal is the goods before discounts, without
    that tax. rounding is what cash rounding adds to total: total + rounding is handed over, and payments add up to
    that. cashToReturn: of a canceled split sale, the cash to hand back if it was taken; it never was in the drawer.
    soldAt: when the buyer left with the goods. till: of a sale made offline, and tillTotal what the till charged; where
    that is not the total of the catalogue's prices, paymentNote says till_mismatch. paymentNote tells what is odd about
    the money: late_payment_accepted, late_payment_refunded, refund_failed, amount_mismatch, till_mismatch."""

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
    rounding: str
    tendered: str | None
    change: str | None
    refunded_amount: str
    transaction_id: UUID | None
    payment: PaymentOut
    payments: list[PartOut]
    cash_session_id: UUID | None
    cash_to_return: str | None
    payment_note: str | None
    customer: CustomerOut | None
    notes: str | None
    cancel_reason: str | None
    created_by: UUID
    created_at: UtcDatetime
    sold_at: UtcDatetime | None
    till: str | None
    till_sequence: int | None
    till_total: str | None
    updated_at: UtcDatetime
    completed_at: UtcDatetime | None
    canceled_at: UtcDatetime | None


def customer_fields(customer: CustomerIn | None) -> dict[str, Any] | None:
    """The known fields by their names in JSON, None when there are none."""
    known = customer.model_dump(mode="json", by_alias=True, exclude_none=True) if customer else {}
    return known or None
