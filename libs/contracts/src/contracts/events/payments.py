"""Events of payments. Each is a snapshot of the payment at that moment."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from kernel import Country

from contracts.events.base import DomainEvent, MoneyAmount


class _PaymentChange(DomainEvent):
    aggregate_type: ClassVar[str] = "payment"

    business_id: UUID
    sale_id: UUID | None
    amount: MoneyAmount
    status: str
    method: str
    provider: str
    provider_ref: str | None
    country: Country
    time_zone: str
    created_at: datetime


class PaymentCreated(_PaymentChange):
    type: ClassVar[str] = "payment.created"

    expires_at: datetime | None


class PaymentConfirmed(_PaymentChange):
    """late: the money came after the payment had been given up as failed or expired."""

    type: ClassVar[str] = "payment.confirmed"

    confirmed_at: datetime
    late: bool = False


class PaymentFailed(_PaymentChange):
    """failure_reason: declined, expired, canceled, rejected, mismatch."""

    type: ClassVar[str] = "payment.failed"

    failure_reason: str
    failed_at: datetime


class PaymentRefunded(_PaymentChange):
    """One refund reached its end at the provider; refunded_amount is the sum of all of them."""

    type: ClassVar[str] = "payment.refunded"

    refund_id: UUID
    refund_amount: MoneyAmount
    refunded_amount: MoneyAmount
    refunded_at: datetime
