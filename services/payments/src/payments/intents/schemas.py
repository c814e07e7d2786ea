"""Payments as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

import orjson
from chassis.http.schemas import Amount, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from kernel import Country, Currency
from psp.provider import BuyerDevice, PaymentMethod
from pydantic import AfterValidator, Field, IPvAnyAddress, StringConstraints
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.intents.drafts import PaymentDraft, buyer_of
from payments.intents.models import Payment, TimelineEntry
from payments.intents.payers import Buyer, PersonType
from payments.intents.status import PaymentStatus

_MAX_METADATA = 20

MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.:-]+$")]
MetadataValue = Annotated[LongText, StringConstraints(max_length=500)]
Phone = Annotated[
    str, StringConstraints(pattern=r"^\+[1-9][0-9]{7,14}$"), Field(examples=["+525512345678"], description="E.164")
]
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+$"
    ),
]


def _few(metadata: dict[str, str]) -> dict[str, str]:
    if len(metadata) > _MAX_METADATA:
        raise ValueError(f"has more than {_MAX_METADATA} entries")
    return metadata


_Token = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
BankCode = Annotated[
    str, StringConstraints(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9_-]+$"), Field(examples=["1022"])
]


class Document(RequestModel):
    """type: CC, CE, NIT, TI, PP, IDC, CEL, RC or DE in Colombia; DNI, CUIT or CUIL in Argentina; RUT in Chile; RFC or
    CURP in Mexico."""

    type: Annotated[str, StringConstraints(min_length=2, max_length=4, to_upper=True, pattern=r"^[A-Za-z]+$")]
    number: Annotated[str, StringConstraints(min_length=3, max_length=20, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]+$")]


class Customer(RequestModel):
    """The buyer. Encrypted at rest, passed on to the provider. person_type: N, a natural person, or J, a legal one."""

    name: Text | None = None
    phone: Phone | None = None
    email: Email | None = None
    document: Document | None = None
    person_type: PersonType | None = None


class Device(RequestModel):
    """The browser the buyer pays with, which PSE wants to know: its address, its User-Agent, and a session and a cookie
    of the shop's page. Encrypted at rest, passed on to the provider."""

    ip_address: IPvAnyAddress
    user_agent: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[\x20-\x7e]+$")]
    session_id: _Token
    cookie: _Token

    def seen(self) -> BuyerDevice:
        return BuyerDevice(str(self.ip_address), self.user_agent, self.session_id, self.cookie)


class CreatePayment(RequestModel):
    """expires_in: seconds. bank_code, device: of a bank transfer for which the provider asks them (PSE in Colombia);
    the codes are those of `GET /payment-methods/banks`."""

    business_id: UUID
    amount: Amount
    currency: Currency | None = None
    method: PaymentMethod
    description: Annotated[Text, StringConstraints(max_length=200)] | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_few)] = Field(default_factory=dict)
    customer: Customer = Customer()
    bank_code: BankCode | None = None
    device: Device | None = None
    payment_method_id: UUID | None = None
    expires_in: Annotated[int, Field(ge=300, le=2_592_000)] | None = None

    def draft(self, kyc_level: int | None) -> PaymentDraft:
        return PaymentDraft(
            business_id=self.business_id,
            amount=self.amount,
            currency=self.currency.value if self.currency else None,
            method=self.method,
            description=self.description,
            metadata=self.metadata,
            buyer=self._buyer(),
            expires_in=self.expires_in,
            payment_method_id=self.payment_method_id,
            kyc_level=kyc_level,
        )

    def _buyer(self) -> Buyer:
        customer, document = self.customer, self.customer.document
        return Buyer(
            name=customer.name,
            phone=customer.phone,
            email=customer.email,
            document_type=document.type if document else None,
            document_number=document.number if document else None,
            person_type=customer.person_type.value if customer.person_type else None,
            bank=self.bank_code,
            device=self.device.seen() if self.device else None,
        )


class TransferView(ResponseModel):
    """Where to transfer to. reference: what the buyer must type, where one is needed."""

    clabe: str
    reference: str | None
    bank: str | None


class DocumentView(ResponseModel):
    type: str
    number: str


class CustomerView(ResponseModel):
    name: str | None
    phone: str | None
    email: str | None
    document: DocumentView | None
    person_type: PersonType | None


class PaymentView(ResponseModel):
    """What `view` writes; a list of payments costs a third when it is written without these models.

    provider_ref: the provider's own id. disputed: the money at the provider is not what was asked for, so nothing is
    concluded from it. late: the money came after the payment had been given up."""

    id: UUID
    business_id: UUID
    sale_id: UUID | None
    amount: str
    currency: Currency
    status: PaymentStatus
    failure_reason: str | None
    payment_method: PaymentMethod
    payment_method_id: UUID | None
    country: Country
    provider_adapter: str
    provider_ref: str | None
    description: str | None
    metadata: dict[str, str]
    qr_code_url: str | None
    payment_link: str | None
    transfer: TransferView | None
    refunded_amount: str
    disputed: bool
    late: bool
    expires_at: UtcDatetime
    confirmed_at: UtcDatetime | None
    failed_at: UtcDatetime | None
    refunded_at: UtcDatetime | None
    created_at: UtcDatetime
    updated_at: UtcDatetime


class PaymentDetail(PaymentView):
    customer: CustomerView | None


class TimelineView(ResponseModel):
    """kind: attempt (a call that creates), reading (of the provider), transition, dispute, refund."""

    id: UUID
    at: UtcDatetime
    kind: str
    cause: str
    from_status: str | None
    to_status: str | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: TimelineEntry) -> Self:
        return cls.model_validate(entry)


def view(payment: Payment, public_url: str) -> dict[str, Any]:
    """A payment as PaymentView describes it."""
    decimals = payment.unit.exponent
    return {
        "id": str(payment.id),
        "businessId": str(payment.business_id),
        "saleId": None if payment.sale_id is None else str(payment.sale_id),
        "amount": f"{payment.amount:.{decimals}f}",
        "currency": payment.currency,
        "status": payment.public_status.value,
        "failureReason": payment.failure_reason,
        "paymentMethod": payment.method,
        "paymentMethodId": None if payment.payment_method_id is None else str(payment.payment_method_id),
        "country": payment.country,
        "providerAdapter": payment.provider,
        "providerRef": payment.provider_ref,
        "description": payment.description,
        "metadata": payment.metadata,
        "qrCodeUrl": qr_code_url(payment, public_url),
        "paymentLink": payment.payment_link,
        "transfer": payment.transfer,
        "refundedAmount": f"{payment.refunded:.{decimals}f}",
        "disputed": payment.disputed_at is not None,
        "late": payment.late,
        "expiresAt": _instant(payment.expires_at),
        "confirmedAt": _instant(payment.confirmed_at),
        "failedAt": _instant(payment.failed_at),
        "refundedAt": _instant(payment.refunded_at),
        "createdAt": _instant(payment.created_at),
        "updatedAt": _instant(payment.updated_at),
    }


def detail(payment: Payment, ctx: PaymentsContext) -> dict[str, Any]:
    """A payment as PaymentDetail describes it."""
    buyer = buyer_of(ctx, payment)
    return {**view(payment, ctx.public_url), "customer": _customer(buyer) if buyer.is_known else None}


def _customer(buyer: Buyer) -> dict[str, Any]:
    document = buyer.document
    return {
        "name": buyer.name,
        "phone": buyer.phone,
        "email": buyer.email,
        "document": {"type": document.kind, "number": document.number} if document else None,
        "personType": buyer.person_type,
    }


def rendered(payment: Payment, public_url: str) -> bytes:
    """{"data": payment}"""
    return orjson.dumps({"data": view(payment, public_url)})


def json_response(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def qr_code_url(payment: Payment, public_url: str) -> str | None:
    if payment.qr_content is None:
        return None
    return f"{public_url}/api/v1/payments/{payment.id}/qr.svg"


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must carry a time zone, such as 2026-01-31T18:00:00Z")
    return value


AwareTime = Annotated[datetime, AfterValidator(_aware)]
