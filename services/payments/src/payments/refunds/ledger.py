"""What a refund does to its payment: reserve, post, release. Always under the payment's lock, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from kernel import Money, new_id
from psp.provider import FetchedPayment, ProviderRefund
from psp.provider import RefundStatus as ProviderRefundStatus

from payments import metrics
from payments.intents import events, status
from payments.intents.models import Payment
from payments.intents.moves import Change
from payments.intents.schedule import IN_FLIGHT, next_refund_reading
from payments.refunds import errors, repository
from payments.refunds.models import Refund
from payments.refunds.status import UNSENT, RefundStep, may_move

log = get_logger(__name__)

_STEPS = {
    ProviderRefundStatus.PENDING: RefundStep.PENDING,
    ProviderRefundStatus.SUCCEEDED: RefundStep.SUCCEEDED,
    ProviderRefundStatus.FAILED: RefundStep.FAILED,
}


async def reserve(
    unit: UnitOfWork, change: Change, refund_id: UUID, amount: Money | None, reason: str | None
) -> Refund:
    """Take the amount, everything that is left by default, out of what can still be refunded.

    Raises Conflict (not refundable, or another refund is on its way) or RuleViolation (more than is left).
    """
    payment = change.payment
    if payment.step not in status.REFUNDABLE:
        raise errors.not_refundable(payment.public_status)
    if any(refund.step in UNSENT for refund in await repository.of_payment(unit.session, payment.id)):
        raise errors.in_progress()
    left = payment.money - payment.reserved_money
    amount = left if amount is None else amount
    if not amount or amount > left:
        raise errors.exceeds_payment(left)
    refund = _new(refund_id, payment, amount, "merchant", change.now)
    refund = replace(refund, reason=reason, next_poll_at=change.now + IN_FLIGHT)
    await repository.add(unit.session, refund)
    change.amend(refund_reserved=(payment.reserved_money + amount).decimal)
    change.note("refund", {"refundId": str(refund.id), "amount": str(amount), "step": refund.status})
    return refund


async def settle(unit: UnitOfWork, change: Change, refund_id: UUID, seen: ProviderRefund) -> Refund:
    """The provider's word on a refund. What it says again, or too late, changes nothing."""
    refund = await repository.lock(unit.session, refund_id)
    to = _STEPS[seen.status]
    if not may_move(refund.step, to):
        waiting = refund.step is RefundStep.PENDING
        due = next_refund_reading(refund.poll_attempts, change.now, change.pace) if waiting else None
        await repository.change(unit.session, refund.id, {"next_poll_at": due})
        return refund
    match to:
        case RefundStep.FAILED:
            return await fail(unit, change, refund, seen.status_text or "failed", ref=seen.refund_ref)
        case RefundStep.SUCCEEDED:
            return await _post(unit, change, refund, seen.refund_ref)
        case _:
            due = next_refund_reading(0, change.now, change.pace)
            return await _write(unit, change, refund, to, ref=seen.refund_ref, next_poll_at=due, poll_attempts=0)


async def fail(unit: UnitOfWork, change: Change, refund: Refund, reason: str, *, ref: str | None = None) -> Refund:
    """The provider has not given the money back: release what was reserved."""
    if not may_move(refund.step, RefundStep.FAILED):
        return refund
    payment = change.payment
    change.amend(refund_reserved=(payment.reserved_money - refund.money).decimal)
    return await _write(unit, change, refund, RefundStep.FAILED, ref=ref, failure_reason=reason, next_poll_at=None)


async def adopt(unit: UnitOfWork, change: Change, fetched: FetchedPayment) -> None:
    """Refunds at the provider that nobody asked for here: made in its back office, and money gone all the same.

    While one of ours is without an answer, it is not known which is which, so everything waits for that.
    """
    if not fetched.refunds:
        return
    known = await repository.of_payment(unit.session, change.payment.id)
    if any(refund.step in UNSENT for refund in known):
        return
    by_ref = {refund.provider_refund_ref: refund for refund in known}
    for seen in fetched.refunds:
        ours = by_ref.get(seen.refund_ref)
        if ours is not None:
            await settle(unit, change, ours.id, seen)
        elif seen.status is ProviderRefundStatus.SUCCEEDED:
            await _take_over(unit, change, seen)


async def _take_over(unit: UnitOfWork, change: Change, seen: ProviderRefund) -> None:
    payment = change.payment
    if payment.step not in status.REFUNDABLE or seen.amount > payment.money - payment.reserved_money:
        change.dispute("refunds")
        return
    refund = _new(new_id(), payment, seen.amount, "provider", change.now)
    await repository.add(unit.session, refund)
    change.amend(refund_reserved=(payment.reserved_money + seen.amount).decimal)
    log.warning("refund.made_at_provider", payment_id=str(payment.id), refund_id=str(refund.id))
    await _post(unit, change, refund, seen.refund_ref)


async def _post(unit: UnitOfWork, change: Change, refund: Refund, ref: str) -> Refund:
    payment = change.payment
    refunded = payment.refunded_money + refund.money
    change.move(
        status.after_refund(payment.money, refunded),
        detail={"refundId": str(refund.id), "amount": str(refund.money)},
        refunded=refunded.decimal,
    )
    change.publish(events.refunded(change.payment, refund.id, refund.money))
    return await _write(unit, change, refund, RefundStep.SUCCEEDED, ref=ref, completed_at=change.now, next_poll_at=None)


async def _write(
    unit: UnitOfWork, change: Change, refund: Refund, to: RefundStep, *, ref: str | None, **fields: object
) -> Refund:
    values = {"status": to.value, "updated_at": change.now, **fields}
    if ref is not None:
        values["provider_refund_ref"] = ref
    await repository.change(unit.session, refund.id, values)
    change.note("refund", {"refundId": str(refund.id), "step": to.value})
    if to is not RefundStep.PENDING:
        metrics.refunds.labels(change.payment.provider, to.value).inc()
    return replace(refund, **values)  # type: ignore[arg-type]


def _new(refund_id: UUID, payment: Payment, amount: Money, origin: str, now: datetime) -> Refund:
    return Refund(
        id=refund_id,
        payment_id=payment.id,
        business_id=payment.business_id,
        amount=amount.decimal,
        currency=payment.currency,
        status=RefundStep.SUBMITTING.value,
        origin=origin,
        created_at=now,
        updated_at=now,
    )
