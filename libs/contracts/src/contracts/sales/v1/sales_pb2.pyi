from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetSaleRequest(_message.Message):
    __slots__ = ("business_id", "sale_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    sale_id: str
    def __init__(self, business_id: _Optional[str] = ..., sale_id: _Optional[str] = ...) -> None: ...

class Sale(_message.Message):
    __slots__ = ("id", "business_id", "branch_id", "status", "currency", "subtotal_minor", "tax_minor", "discount_minor", "total_minor", "payment_method", "transaction_id", "created_at_ms", "completed_at_ms", "lines", "customer", "notes", "parts", "tendered_minor", "change_minor", "refunded_minor", "sold_at_ms", "rounding_minor")
    ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    BRANCH_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    SUBTOTAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    TAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_METHOD_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    TENDERED_MINOR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_MINOR_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_MINOR_FIELD_NUMBER: _ClassVar[int]
    SOLD_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_MINOR_FIELD_NUMBER: _ClassVar[int]
    id: str
    business_id: str
    branch_id: str
    status: str
    currency: str
    subtotal_minor: int
    tax_minor: int
    discount_minor: int
    total_minor: int
    payment_method: str
    transaction_id: str
    created_at_ms: int
    completed_at_ms: int
    lines: _containers.RepeatedCompositeFieldContainer[SaleLine]
    customer: Customer
    notes: str
    parts: _containers.RepeatedCompositeFieldContainer[Part]
    tendered_minor: int
    change_minor: int
    refunded_minor: int
    sold_at_ms: int
    rounding_minor: int
    def __init__(self, id: _Optional[str] = ..., business_id: _Optional[str] = ..., branch_id: _Optional[str] = ..., status: _Optional[str] = ..., currency: _Optional[str] = ..., subtotal_minor: _Optional[int] = ..., tax_minor: _Optional[int] = ..., discount_minor: _Optional[int] = ..., total_minor: _Optional[int] = ..., payment_method: _Optional[str] = ..., transaction_id: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., completed_at_ms: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[SaleLine, _Mapping]]] = ..., customer: _Optional[_Union[Customer, _Mapping]] = ..., notes: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[Part, _Mapping]]] = ..., tendered_minor: _Optional[int] = ..., change_minor: _Optional[int] = ..., refunded_minor: _Optional[int] = ..., sold_at_ms: _Optional[int] = ..., rounding_minor: _Optional[int] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("method", "amount_minor", "payment_id")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    method: str
    amount_minor: int
    payment_id: str
    def __init__(self, method: _Optional[str] = ..., amount_minor: _Optional[int] = ..., payment_id: _Optional[str] = ...) -> None: ...

class SaleLine(_message.Message):
    __slots__ = ("product_id", "name", "sku", "quantity", "unit_price_minor", "discount_minor", "tax_rate", "tax_minor", "total_minor")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    TAX_RATE_FIELD_NUMBER: _ClassVar[int]
    TAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    name: str
    sku: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_rate: str
    tax_minor: int
    total_minor: int
    def __init__(self, product_id: _Optional[str] = ..., name: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_price_minor: _Optional[int] = ..., discount_minor: _Optional[int] = ..., tax_rate: _Optional[str] = ..., tax_minor: _Optional[int] = ..., total_minor: _Optional[int] = ...) -> None: ...

class Customer(_message.Message):
    __slots__ = ("name", "phone", "email", "tax_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    TAX_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    phone: str
    email: str
    tax_id: str
    def __init__(self, name: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., tax_id: _Optional[str] = ...) -> None: ...
