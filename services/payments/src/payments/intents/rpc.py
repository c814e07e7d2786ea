"""Payments over gRPC, for other services, which have checked their callers: the same use cases as over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

import grpc
from chassis.database.idempotency import IdempotencyScope
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import InvalidInput, Money, MoneyError
from kernel.money import parse_currency
from psp.provider import BuyerDevice, PaymentMethod

from payments.context import PaymentsContext
from payments.intents import schemas, service
from payments.intents.drafts import PaymentDraft
from payments.intents.models import Payment
from payments.intents.payers import Buyer, PersonType
from payments.refunds import errors, repository
from payments.refunds import service as refunds
from payments.refunds.models import Refund
from payments.refunds.service import RefundWish

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]

_MAX_KEY = 128
_MAX_TEXT = 200
_MAX_AGENT = 1024
_MAX_BANK = 20


class PaymentsServicer(payments_pb2_grpc.PaymentsServicer):
    def __init__(self, ctx: PaymentsContext) -> None:
        self._ctx = ctx
        self._running: set[asyncio.Task[Any]] = set()

    async def CreatePayment(self, request: payments_pb2.CreatePaymentRequest, context: Context) -> payments_pb2.Payment:
        draft, scope = _draft(request), _scope("CreatePayment", request)
        answer = await self._to_its_end(service.create_payment(self._ctx, draft, scope, self._rendered))
        return payments_pb2.Payment.FromString(answer.body)

    async def GetPayment(self, request: payments_pb2.GetPaymentRequest, context: Context) -> payments_pb2.Payment:
        return self._view(await self._payment(request))

    async def CancelPayment(self, request: payments_pb2.CancelPaymentRequest, context: Context) -> payments_pb2.Payment:
        payment = await self._payment(request)
        return self._view(await self._to_its_end(service.cancel_payment(self._ctx, payment)))

    async def RefundPayment(self, request: payments_pb2.RefundPaymentRequest, context: Context) -> payments_pb2.Refund:
        payment = await self._payment(request)
        amount = Money(request.amount_minor, payment.unit).decimal if request.amount_minor else None
        wish, scope = RefundWish(amount, request.reason or None), _scope("RefundPayment", request)
        answer = await self._to_its_end(refunds.refund_payment(self._ctx, payment, wish, scope, _rendered_refund))
        return payments_pb2.Refund.FromString(answer.body)

    async def GetRefund(self, request: payments_pb2.GetRefundRequest, context: Context) -> payments_pb2.Refund:
        payment = await self._payment(request)
        refund_id = _id("refund_id", request.refund_id)
        refund = await repository.find(self._ctx.database, refund_id, payment_id=payment.id)
        if refund is None:
            raise errors.refund_not_found()
        return payments_pb2.Refund.FromString(_rendered_refund(refund))

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """A caller whose deadline passes cancels its handler. What has gone out to the provider is written down all the
        same, so that the caller's next try finds it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _payment(self, request: Any) -> Payment:
        return await service.payment_of(
            self._ctx, _id("business_id", request.business_id), _id("payment_id", request.payment_id)
        )

    def _rendered(self, payment: Payment) -> bytes:
        return self._view(payment).SerializeToString()

    def _view(self, payment: Payment) -> payments_pb2.Payment:
        transfer = payment.transfer or {}
        return payments_pb2.Payment(
            id=str(payment.id),
            business_id=str(payment.business_id),
            amount_minor=payment.money.minor,
            currency=payment.currency,
            status=payment.public_status.value,
            failure_reason=payment.failure_reason or "",
            method=payment.method,
            provider=payment.provider,
            provider_ref=payment.provider_ref or "",
            qr_code_url=schemas.qr_code_url(payment, self._ctx.public_url) or "",
            payment_link=payment.payment_link or "",
            transfer=payments_pb2.Transfer(**{name: value or "" for name, value in transfer.items()})
            if transfer
            else None,
            expires_at_ms=int(payment.expires_at.timestamp() * 1000),
            confirmed_at_ms=int(payment.confirmed_at.timestamp() * 1000) if payment.confirmed_at else 0,
            refunded_minor=payment.refunded_money.minor,
            sale_id=str(payment.sale_id) if payment.sale_id else "",
            version=payment.version,
        )


def _rendered_refund(refund: Refund) -> bytes:
    return payments_pb2.Refund(
        id=str(refund.id),
        payment_id=str(refund.payment_id),
        amount_minor=refund.money.minor,
        status=refund.public_status.value,
        failure_reason=refund.failure_reason or "",
    ).SerializeToString()


def _draft(request: payments_pb2.CreatePaymentRequest) -> PaymentDraft:
    try:
        method = PaymentMethod(request.method)
    except ValueError:
        raise InvalidInput.field("method", "is not a payment method") from None
    return PaymentDraft(
        business_id=_id("business_id", request.business_id),
        amount=_amount(request),
        currency=request.currency or None,
        method=method,
        description=_text("description", request.description)[:_MAX_TEXT] or None,
        metadata={_text("metadata", key): _text("metadata", value) for key, value in request.metadata.items()},
        buyer=_buyer(request),
        expires_in=request.expires_in or None,
        sale_id=_id("sale_id", request.sale_id) if request.sale_id else None,
        kyc_level=request.kyc_level if request.HasField("kyc_level") else None,
    )


def _buyer(request: payments_pb2.CreatePaymentRequest) -> Buyer:
    payer, device = request.payer, request.device
    if payer.person_type not in ("", *PersonType):
        raise InvalidInput.field("payer.person_type", "must be N or J")
    return Buyer(
        name=payer.name or None,
        phone=payer.phone or None,
        email=payer.email or None,
        document_type=payer.document_type.upper() or None,
        document_number=payer.document_number or None,
        person_type=payer.person_type or None,
        bank=request.bank_code[:_MAX_BANK] or None,
        device=BuyerDevice(
            ip_address=device.ip_address[:_MAX_TEXT],
            user_agent=device.user_agent[:_MAX_AGENT],
            session_id=device.session_id[:_MAX_TEXT],
            cookie=device.cookie[:_MAX_TEXT],
        )
        if device.ip_address and device.user_agent and device.session_id and device.cookie
        else None,
    )


def _text(field: str, value: str) -> str:
    if "\x00" in value:
        raise InvalidInput.field(field, "must not have a NUL character")
    return value


def _amount(request: payments_pb2.CreatePaymentRequest) -> Decimal:
    try:
        return Money(request.amount_minor, parse_currency(request.currency)).decimal
    except MoneyError as error:
        raise InvalidInput.field("amount_minor", str(error)) from None


def _scope(route: str, request: Any) -> IdempotencyScope:
    key = request.idempotency_key
    if not 0 < len(key) <= _MAX_KEY:
        raise InvalidInput.field("idempotency_key", "must be 1 to 128 characters")
    fingerprint = sha256(request.SerializeToString(deterministic=True)).digest()
    return IdempotencyScope(_id("business_id", request.business_id), f"grpc {route}", key, fingerprint)


def _id(field: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput.field(field, "is not a UUID") from None
