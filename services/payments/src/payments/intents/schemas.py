"""Payments as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from chassis.http.schemas import Amount, Data, LongText, RequestModel, ResponseModel, Text, UtcDatetime
from kernel import Country, Currency
from psp.provider import PaymentMethod
from pydantic import AfterValidator, Field, StringConstraints
from starlette.responses import Response

from payments.context import PaymentsContext
from payments.intents.drafts import Buyer, PaymentDraft, buyer_of
from payments.intents.models import Payment, TimelineEntry
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


class Customer(RequestModel):
    """The buyer. Encrypted at rest, passed on to the provider."""

    name: Text | None = None
    phone: Phone | None = None
    email: Email | None = None


class CreatePayment(RequestModel):
    """expires_in: seconds."""

    business_id: UUID
    amount: Amount
    currency: Currency | None = None
    method: PaymentMethod
    description: Annotated[Text, StringConstraints(max_length=200)] | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_few)] = Field(default_factory=dict)
    customer: Customer = Customer()
    expires_in: Annotated[int, Field(ge=300, le=2_592_000)] | None = None

    def draft(self) -> PaymentDraft:
        return PaymentDraft(
            business_id=self.business_id,
            amount=self.amount,
            currency=self.currency.value if self.currency else None,
            method=self.method,
            description=self.description,
            metadata=self.metadata,
            buyer=Buyer(self.customer.name, self.customer.phone, self.customer.email),
            expires_in=self.expires_in,
        )


class TransferView(ResponseModel):
    """Where to transfer to. reference: what the buyer must type, where one is needed."""

    clabe: str
    reference: str | None
    bank: str | None


class CustomerView(ResponseModel):
    name: str | None
    phone: str | None
    email: str | None


class PaymentView(ResponseModel):
    """provider_ref: the provider's own id. disputed: the money at the provider is not what was asked for, so nothing is
    concluded from it. late: the money came after the payment had been given up."""

    id: UUID
    business_id: UUID
    sale_id: UUID | None
    amount: str
    currency: Currency
    status: PaymentStatus
    failure_reason: str | None
    payment_method: PaymentMethod
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

    @staticmethod
    def of(payment: Payment, public_url: str) -> PaymentView:
        # Every value comes from our own row, so that nothing is validated twice.
        return PaymentView.model_construct(**_fields(payment, public_url))


class PaymentDetail(PaymentView):
    customer: CustomerView | None

    @staticmethod
    def seen(payment: Payment, ctx: PaymentsContext) -> PaymentDetail:
        fields = _fields(payment, ctx.public_url)
        buyer = buyer_of(ctx, payment)
        customer = CustomerView.model_construct(name=buyer.name, phone=buyer.phone, email=buyer.email)
        return PaymentDetail.model_construct(**fields, customer=customer if buyer.is_known else None)


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


def rendered(payment: Payment, public_url: str) -> bytes:
    """{"data": payment}"""
    return (
        Data[PaymentView]
        .model_construct(data=PaymentView.of(payment, public_url))
        .model_dump_json(by_alias=True)
        .encode()
    )


def json_response(model: ResponseModel) -> Response:
    """Built from our own values, so that it is not validated again on its way out."""
    return Response(model.model_dump_json(by_alias=True), media_type="application/json")


def _fields(payment: Payment, public_url: str) -> dict[str, Any]:
    amount = payment.money
    transfer = payment.transfer
    return {
        "id": payment.id,
        "business_id": payment.business_id,
        "sale_id": payment.sale_id,
        "amount": str(amount),
        "currency": amount.currency,
        "status": payment.public_status,
        "failure_reason": payment.failure_reason,
        "payment_method": PaymentMethod(payment.method),
        "country": payment.home,
        "provider_adapter": payment.provider,
        "provider_ref": payment.provider_ref,
        "description": payment.description,
        "metadata": payment.metadata,
        "qr_code_url": qr_code_url(payment, public_url),
        "payment_link": payment.payment_link,
        "transfer": TransferView.model_construct(**transfer) if transfer else None,
        "refunded_amount": str(payment.refunded_money),
        "disputed": payment.disputed_at is not None,
        "late": payment.late,
        "expires_at": payment.expires_at,
        "confirmed_at": payment.confirmed_at,
        "failed_at": payment.failed_at,
        "refunded_at": payment.refunded_at,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
    }


def qr_code_url(payment: Payment, public_url: str) -> str | None:
    if payment.qr_content is None:
        return None
    return f"{public_url}/api/v1/payments/{payment.id}/qr.svg"


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must carry a time zone, such as 2026-01-31T18:00:00Z")
    return value


AwareTime = Annotated[datetime, AfterValidator(_aware)]
