from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetInvoiceOfSaleRequest(_message.Message):
    __slots__ = ("business_id", "sale_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    sale_id: str
    def __init__(self, business_id: _Optional[str] = ..., sale_id: _Optional[str] = ...) -> None: ...

class Invoice(_message.Message):
    __slots__ = ("id", "business_id", "sale_id", "invoice_number", "status", "pdf_url", "issued_at_ms", "receipt_url")
    ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PDF_URL_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_URL_FIELD_NUMBER: _ClassVar[int]
    id: str
    business_id: str
    sale_id: str
    invoice_number: str
    status: str
    pdf_url: str
    issued_at_ms: int
    receipt_url: str
    def __init__(self, id: _Optional[str] = ..., business_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., invoice_number: _Optional[str] = ..., status: _Optional[str] = ..., pdf_url: _Optional[str] = ..., issued_at_ms: _Optional[int] = ..., receipt_url: _Optional[str] = ...) -> None: ...
