"""A payment's changes as events. Each is a snapshot of the payment after the change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.events.base import MoneyAmount
from contracts.events.payments import PaymentConfirmed, PaymentCreated, PaymentFailed, PaymentRefunded
from kernel import Money

from payments.intents.models import Payment


def created(payment: Payment) -> PaymentCreated:
    return PaymentCreated(**_snapshot(payment), expires_at=payment.expires_at)


def confirmed(payment: Payment) -> PaymentConfirmed:
    assert payment.confirmed_at is not None
    return PaymentConfirmed(**_snapshot(payment), confirmed_at=payment.confirmed_at, late=payment.late)


def failed(payment: Payment) -> PaymentFailed:
    assert payment.failure_reason is not None
    assert payment.failed_at is not None
    return PaymentFailed(**_snapshot(payment), failure_reason=payment.failure_reason, failed_at=payment.failed_at)


def refunded(payment: Payment, refund_id: UUID, amount: Money) -> PaymentRefunded:
    assert payment.refunded_at is not None
    return PaymentRefunded(
        **_snapshot(payment),
        refund_id=refund_id,
        refund_amount=MoneyAmount.of(amount),
        refunded_amount=MoneyAmount.of(payment.refunded_money),
        refunded_at=payment.refunded_at,
    )


def _snapshot(payment: Payment) -> dict[str, Any]:
    return {
        "aggregate_id": payment.id,
        "aggregate_version": payment.version,
        "business_id": payment.business_id,
        "sale_id": payment.sale_id,
        "amount": MoneyAmount.of(payment.money),
        "status": payment.public_status.value,
        "method": payment.method,
        "provider": payment.provider,
        "provider_ref": payment.provider_ref,
        "country": payment.home,
        "time_zone": payment.time_zone,
        "created_at": payment.created_at,
    }
