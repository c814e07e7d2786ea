"""Refunds as JSON."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from chassis.http.schemas import Amount, Data, RequestModel, ResponseModel, Text, UtcDatetime
from kernel import Currency
from pydantic import StringConstraints

from payments.refunds.models import Refund
from payments.refunds.service import RefundWish
from payments.refunds.status import RefundStatus


class CreateRefund(RequestModel):
    """amount: everything that is left, where it is not given."""

    amount: Amount | None = None
    reason: Annotated[Text, StringConstraints(max_length=200)] | None = None

    def wish(self) -> RefundWish:
        return RefundWish(self.amount, self.reason)


class RefundView(ResponseModel):
    """origin: merchant, or provider where it was made in the provider's own back office."""

    id: UUID
    payment_id: UUID
    amount: str
    currency: Currency
    status: RefundStatus
    origin: str
    reason: str | None
    failure_reason: str | None
    provider_refund_ref: str | None
    created_at: UtcDatetime
    completed_at: UtcDatetime | None

    @classmethod
    def of(cls, refund: Refund) -> Self:
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            amount=str(refund.money),
            currency=refund.money.currency,
            status=refund.public_status,
            origin=refund.origin,
            reason=refund.reason,
            failure_reason=refund.failure_reason,
            provider_refund_ref=refund.provider_refund_ref,
            created_at=refund.created_at,
            completed_at=refund.completed_at,
        )


def rendered(refund: Refund) -> bytes:
    """{"data": refund}"""
    return Data[RefundView](data=RefundView.of(refund)).model_dump_json(by_alias=True).encode()
