from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatePaymentRequest(_message.Message):
    __slots__ = ("business_id", "idempotency_key", "amount_minor", "currency", "method", "description", "expires_in", "payer", "metadata", "sale_id", "bank_code", "device", "kyc_level")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    BANK_CODE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    KYC_LEVEL_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    idempotency_key: str
    amount_minor: int
    currency: str
    method: str
    description: str
    expires_in: int
    payer: Payer
    metadata: _containers.ScalarMap[str, str]
    sale_id: str
    bank_code: str
    device: Device
    kyc_level: int
    def __init__(self, business_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., amount_minor: _Optional[int] = ..., currency: _Optional[str] = ..., method: _Optional[str] = ..., description: _Optional[str] = ..., expires_in: _Optional[int] = ..., payer: _Optional[_Union[Payer, _Mapping]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., sale_id: _Optional[str] = ..., bank_code: _Optional[str] = ..., device: _Optional[_Union[Device, _Mapping]] = ..., kyc_level: _Optional[int] = ...) -> None: ...

class Payer(_message.Message):
    __slots__ = ("name", "phone", "email", "document_type", "document_number", "person_type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PERSON_TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    phone: str
    email: str
    document_type: str
    document_number: str
    person_type: str
    def __init__(self, name: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., document_type: _Optional[str] = ..., document_number: _Optional[str] = ..., person_type: _Optional[str] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("ip_address", "user_agent", "session_id", "cookie")
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    COOKIE_FIELD_NUMBER: _ClassVar[int]
    ip_address: str
    user_agent: str
    session_id: str
    cookie: str
    def __init__(self, ip_address: _Optional[str] = ..., user_agent: _Optional[str] = ..., session_id: _Optional[str] = ..., cookie: _Optional[str] = ...) -> None: ...

class GetPaymentRequest(_message.Message):
    __slots__ = ("business_id", "payment_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    payment_id: str
    def __init__(self, business_id: _Optional[str] = ..., payment_id: _Optional[str] = ...) -> None: ...

class CancelPaymentRequest(_message.Message):
    __slots__ = ("business_id", "payment_id", "reason")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    payment_id: str
    reason: str
    def __init__(self, business_id: _Optional[str] = ..., payment_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RefundPaymentRequest(_message.Message):
    __slots__ = ("business_id", "payment_id", "idempotency_key", "amount_minor", "reason")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    payment_id: str
    idempotency_key: str
    amount_minor: int
    reason: str
    def __init__(self, business_id: _Optional[str] = ..., payment_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., amount_minor: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class GetRefundRequest(_message.Message):
    __slots__ = ("business_id", "payment_id", "refund_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    payment_id: str
    refund_id: str
    def __init__(self, business_id: _Optional[str] = ..., payment_id: _Optional[str] = ..., refund_id: _Optional[str] = ...) -> None: ...

class Payment(_message.Message):
    __slots__ = ("id", "business_id", "amount_minor", "currency", "status", "failure_reason", "method", "provider", "provider_ref", "qr_code_url", "payment_link", "transfer", "expires_at_ms", "confirmed_at_ms", "refunded_minor", "sale_id", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REF_FIELD_NUMBER: _ClassVar[int]
    QR_CODE_URL_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_LINK_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_MINOR_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    business_id: str
    amount_minor: int
    currency: str
    status: str
    failure_reason: str
    method: str
    provider: str
    provider_ref: str
    qr_code_url: str
    payment_link: str
    transfer: Transfer
    expires_at_ms: int
    confirmed_at_ms: int
    refunded_minor: int
    sale_id: str
    version: int
    def __init__(self, id: _Optional[str] = ..., business_id: _Optional[str] = ..., amount_minor: _Optional[int] = ..., currency: _Optional[str] = ..., status: _Optional[str] = ..., failure_reason: _Optional[str] = ..., method: _Optional[str] = ..., provider: _Optional[str] = ..., provider_ref: _Optional[str] = ..., qr_code_url: _Optional[str] = ..., payment_link: _Optional[str] = ..., transfer: _Optional[_Union[Transfer, _Mapping]] = ..., expires_at_ms: _Optional[int] = ..., confirmed_at_ms: _Optional[int] = ..., refunded_minor: _Optional[int] = ..., sale_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Transfer(_message.Message):
    __slots__ = ("clabe", "reference", "bank")
    CLABE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    BANK_FIELD_NUMBER: _ClassVar[int]
    clabe: str
    reference: str
    bank: str
    def __init__(self, clabe: _Optional[str] = ..., reference: _Optional[str] = ..., bank: _Optional[str] = ...) -> None: ...

class Refund(_message.Message):
    __slots__ = ("id", "payment_id", "amount_minor", "status", "failure_reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    payment_id: str
    amount_minor: int
    status: str
    failure_reason: str
    def __init__(self, id: _Optional[str] = ..., payment_id: _Optional[str] = ..., amount_minor: _Optional[int] = ..., status: _Optional[str] = ..., failure_reason: _Optional[str] = ...) -> None: ...

class VerifyWebhookRequest(_message.Message):
    __slots__ = ("provider", "account_key", "body", "headers", "query")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KEY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    provider: str
    account_key: str
    body: bytes
    headers: _containers.RepeatedCompositeFieldContainer[NamedValue]
    query: _containers.RepeatedCompositeFieldContainer[NamedValue]
    def __init__(self, provider: _Optional[str] = ..., account_key: _Optional[str] = ..., body: _Optional[bytes] = ..., headers: _Optional[_Iterable[_Union[NamedValue, _Mapping]]] = ..., query: _Optional[_Iterable[_Union[NamedValue, _Mapping]]] = ...) -> None: ...

class NamedValue(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class VerifyWebhookResponse(_message.Message):
    __slots__ = ("outcome", "account_id", "event_id", "event_type", "provider_ref", "our_reference", "occurred_at_ms", "reason")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[VerifyWebhookResponse.Outcome]
        OUTCOME_VERIFIED: _ClassVar[VerifyWebhookResponse.Outcome]
        OUTCOME_UNKNOWN_ACCOUNT: _ClassVar[VerifyWebhookResponse.Outcome]
        OUTCOME_FORGED: _ClassVar[VerifyWebhookResponse.Outcome]
        OUTCOME_MALFORMED: _ClassVar[VerifyWebhookResponse.Outcome]
    OUTCOME_UNSPECIFIED: VerifyWebhookResponse.Outcome
    OUTCOME_VERIFIED: VerifyWebhookResponse.Outcome
    OUTCOME_UNKNOWN_ACCOUNT: VerifyWebhookResponse.Outcome
    OUTCOME_FORGED: VerifyWebhookResponse.Outcome
    OUTCOME_MALFORMED: VerifyWebhookResponse.Outcome
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REF_FIELD_NUMBER: _ClassVar[int]
    OUR_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    outcome: VerifyWebhookResponse.Outcome
    account_id: str
    event_id: str
    event_type: str
    provider_ref: str
    our_reference: str
    occurred_at_ms: int
    reason: str
    def __init__(self, outcome: _Optional[_Union[VerifyWebhookResponse.Outcome, str]] = ..., account_id: _Optional[str] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., provider_ref: _Optional[str] = ..., our_reference: _Optional[str] = ..., occurred_at_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
