from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReserveRequest(_message.Message):
    __slots__ = ("business_id", "branch_id", "sale_id", "lines", "expires_at_ms", "revive", "already_sold", "priced_at_ms")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    BRANCH_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REVIVE_FIELD_NUMBER: _ClassVar[int]
    ALREADY_SOLD_FIELD_NUMBER: _ClassVar[int]
    PRICED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    branch_id: str
    sale_id: str
    lines: _containers.RepeatedCompositeFieldContainer[ReserveLine]
    expires_at_ms: int
    revive: bool
    already_sold: bool
    priced_at_ms: int
    def __init__(self, business_id: _Optional[str] = ..., branch_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[ReserveLine, _Mapping]]] = ..., expires_at_ms: _Optional[int] = ..., revive: _Optional[bool] = ..., already_sold: _Optional[bool] = ..., priced_at_ms: _Optional[int] = ...) -> None: ...

class ReserveLine(_message.Message):
    __slots__ = ("product_id", "quantity")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    quantity: int
    def __init__(self, product_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class CommitRequest(_message.Message):
    __slots__ = ("business_id", "sale_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    sale_id: str
    def __init__(self, business_id: _Optional[str] = ..., sale_id: _Optional[str] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("business_id", "sale_id", "reason")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    sale_id: str
    reason: str
    def __init__(self, business_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReturnRequest(_message.Message):
    __slots__ = ("business_id", "sale_id", "return_id", "lines")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    sale_id: str
    return_id: str
    lines: _containers.RepeatedCompositeFieldContainer[ReserveLine]
    def __init__(self, business_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., return_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[ReserveLine, _Mapping]]] = ...) -> None: ...

class ReturnResponse(_message.Message):
    __slots__ = ("return_id",)
    RETURN_ID_FIELD_NUMBER: _ClassVar[int]
    return_id: str
    def __init__(self, return_id: _Optional[str] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("sale_id", "status", "lines")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    status: str
    lines: _containers.RepeatedCompositeFieldContainer[PricedLine]
    def __init__(self, sale_id: _Optional[str] = ..., status: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[PricedLine, _Mapping]]] = ...) -> None: ...

class PricedLine(_message.Message):
    __slots__ = ("product_id", "name", "sku", "quantity", "unit_price_minor", "currency", "tax_rate")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SKU_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TAX_RATE_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    name: str
    sku: str
    quantity: int
    unit_price_minor: int
    currency: str
    tax_rate: str
    def __init__(self, product_id: _Optional[str] = ..., name: _Optional[str] = ..., sku: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_price_minor: _Optional[int] = ..., currency: _Optional[str] = ..., tax_rate: _Optional[str] = ...) -> None: ...
