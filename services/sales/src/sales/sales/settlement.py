"""How facts about money move a sale. Pure rules over a locked row: no call leaves from here.

A confirmation is never lost: before the end it completes the sale, after a cancellation it brings the sale back when
the goods can be had again, and is refunded otherwise. Which of the two is written down before anything is done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from chassis.database import UnitOfWork
from kernel import Money
from prometheus_client import Counter

from sales.sales import events
from sales.sales.models import Sale
from sales.sales.peers import Payment
from sales.sales.status import AT_REST, CancelReason, PaymentNote, SaleStatus, Step

flagged = Counter("cobro_sales_flagged_total", "Sales whose money needs a person's eye", ["note"])

_OPEN = frozenset({Step.PAYING, Step.AWAITING_PAYMENT})
_CANCELED = frozenset({Step.RELEASING, Step.VOIDING, Step.SETTLED})


class Verdict(Enum):
    """What a confirmation meant for the sale."""

    PAID = auto()
    LATE = auto()
    KNOWN = auto()
    MISMATCH = auto()


class ForeignPayment(Exception):
    """The payment names this sale but belongs to another business, or the sale has another payment."""


def touch(sale: Sale, now: datetime, lease: timedelta | None) -> None:
    """One more version; the lease keeps others away from the next step, None says that nobody need take it up."""
    sale.version += 1
    sale.updated_at = now
    sale.resume_at = now + lease if lease is not None else None
    sale.resume_attempts = 0


def confirm(sale: Sale, payment: Payment, now: datetime, lease: timedelta) -> Verdict:
    """The buyer's money has arrived. Raises ForeignPayment."""
    check_ours(sale, payment.id, payment.business_id)
    step = Step(sale.step)
    given_back = sale.refunded_amount > 0 and sale.refunded_amount >= sale.provider_amount
    if sale.payment_confirmed_at is not None or given_back:
        return Verdict.KNOWN
    if payment.amount != sale.money(sale.provider_amount):
        note(sale, PaymentNote.AMOUNT_MISMATCH)
        sale.payment_version = max(sale.payment_version, payment.version)
        touch(sale, now, None if step in AT_REST else lease)
        return Verdict.MISMATCH
    if step not in _OPEN and not (sale.status == SaleStatus.CANCELED and step in _CANCELED):
        return Verdict.KNOWN
    late = sale.status == SaleStatus.CANCELED
    sale.transaction_id = payment.id
    sale.payment_status = "CONFIRMED"
    sale.payment_confirmed_at = payment.confirmed_at or now
    sale.payment_version = max(sale.payment_version, payment.version)
    if late and sale.cash_amount:
        # The cash part has been handed back, so that the sale cannot be paid any more.
        sale.move(Step.REFUNDING)
    else:
        sale.move(Step.REVIVING if late else Step.COMMITTING)
    touch(sale, now, lease)
    return Verdict.LATE if late else Verdict.PAID


def fail(unit: UnitOfWork, sale: Sale, payment: Payment, now: datetime, lease: timedelta) -> bool:
    """The payment is over without money. False when that is no news, or older than what is known. Raises
    ForeignPayment."""
    check_ours(sale, payment.id, payment.business_id)
    if Step(sale.step) not in _OPEN or payment.version < sale.payment_version:
        return False
    sale.transaction_id = payment.id
    sale.payment_status = "FAILED"
    sale.payment_version = payment.version
    cancel(unit, sale, _reason_of(payment.failure_reason), now, lease)
    return True


def cancel(unit: UnitOfWork, sale: Sale, reason: str, now: datetime, lease: timedelta) -> None:
    """No sale after all; the goods are given back next. A sale refused before it had a price is not announced: nobody
    but the caller ever heard of it."""
    announced = Step(sale.step) is not Step.RESERVING
    sale.move(Step.RELEASING)
    _close(unit, sale, reason, now, lease, announced=announced)


def complete(unit: UnitOfWork, sale: Sale, now: datetime) -> None:
    """The money is there and the goods are out of stock."""
    if sale.status == SaleStatus.CANCELED:
        note(sale, PaymentNote.LATE_PAYMENT_ACCEPTED)
        sale.canceled_at = sale.cancel_reason = None
    sale.move(Step.SETTLED)
    sale.status = SaleStatus.COMPLETED
    sale.completed_at = now
    touch(sale, now, None)
    unit.publish(events.completed(sale))


def refunded(unit: UnitOfWork, sale: Sale, status: str, now: datetime) -> None:
    """The late money goes back to the buyer; a sale that was still waiting for its goods is canceled by that."""
    sale.move(Step.SETTLED)
    note(sale, PaymentNote.REFUND_FAILED if status == "FAILED" else PaymentNote.LATE_PAYMENT_REFUNDED)
    if sale.status == SaleStatus.PENDING_PAYMENT:
        _close(unit, sale, CancelReason.OUT_OF_STOCK, now, None, announced=True)
    else:
        touch(sale, now, None)


def record_refund(
    unit: UnitOfWork, sale: Sale, payment: Payment, refunded_amount: Money, now: datetime, lease: timedelta
) -> bool:
    """A refund reached its end at the provider; refunded_amount is the sum of all. False when that is no news. Raises
    ForeignPayment."""
    check_ours(sale, payment.id, payment.business_id)
    if refunded_amount.decimal <= sale.refunded_amount:
        return False
    sale.refunded_amount = refunded_amount.decimal
    sale.payment_status = payment.status
    sale.payment_version = max(sale.payment_version, payment.version)
    if sale.step == Step.AWAITING_PAYMENT and refunded_amount.decimal >= sale.provider_amount:
        # Given back before it was ever accepted here, as after an amount that did not match.
        cancel(unit, sale, CancelReason.PAYMENT_FAILED, now, lease)
    else:
        sale.version += 1
        sale.updated_at = now
    return True


def note(sale: Sale, what: PaymentNote) -> None:
    """Somebody should look at the money of this sale."""
    if sale.payment_note != what:
        sale.payment_note = what
        flagged.labels(what.value).inc()


def _close(
    unit: UnitOfWork, sale: Sale, reason: str, now: datetime, lease: timedelta | None, *, announced: bool
) -> None:
    sale.status = SaleStatus.CANCELED
    sale.canceled_at = now
    sale.cancel_reason = reason
    touch(sale, now, lease)
    if announced:
        unit.publish(events.canceled(sale))


def check_ours(sale: Sale, payment_id: UUID, business_id: UUID) -> None:
    """Raises ForeignPayment."""
    if business_id != sale.business_id or sale.transaction_id not in {None, payment_id}:
        raise ForeignPayment(f"payment {payment_id} is not the payment of sale {sale.id}")


def _reason_of(failure: str | None) -> CancelReason:
    match failure:
        case "expired":
            return CancelReason.PAYMENT_EXPIRED
        case "canceled":
            return CancelReason.CANCELED_BY_USER
        case _:
            return CancelReason.PAYMENT_FAILED
