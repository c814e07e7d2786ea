"""One way from a provider's word to a payment's step, whatever asked for it: webhook, poll, retry, cancellation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from psp.provider import (
    Canceled,
    Confirmation,
    ExpectedPayment,
    FailureReason,
    FetchedPayment,
    Mismatch,
    OutcomeUnknown,
    PaymentNotFound,
    PaymentProvider,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
)

from payments import metrics
from payments.context import PaymentsContext
from payments.intents import instructions, repository, schedule, status
from payments.intents.models import Payment
from payments.intents.moves import Cause, Change
from payments.intents.status import UNSENT, WAITING, Evidence, Step
from payments.refunds import ledger as refunds
from payments.resolution.evidence import EVIDENCE

log = get_logger(__name__)

# What a provider that cannot be asked raises: the payment stays as it is, and is read again later.
UNREACHABLE: Final = (ProviderUnavailable, OutcomeUnknown, ProviderNotConfigured)
# A creation may still be under way at the provider for this long after it was sent.
UNSEEN_FOR: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Reading:
    """confirmation: None where the provider has no such payment."""

    confirmation: Confirmation | None


async def examine(
    ctx: PaymentsContext,
    payment: Payment,
    cause: Cause,
    *,
    provider_ref: str | None = None,
    received: Received[Any] | None = None,
    give_up: bool = True,
) -> Payment:
    """Read the payment at its provider and take the steps that follow.

    provider_ref: the one a notification named, where it is not the one we hold. received: recorded as handled in the
    same transaction. give_up: whether a payment past its time, or to be canceled, is ended at the provider.
    Raises one of UNREACHABLE, and changes nothing then.
    """
    provider = await ctx.accounts.of(payment)
    reading = await read(provider, payment, provider_ref or payment.provider_ref)

    async def apply(unit: UnitOfWork) -> Payment:
        if received is not None and not await unit.accept(received):
            return await repository.lock(unit.session, payment.id)
        locked = await repository.lock(unit.session, payment.id)
        change = Change(locked, cause, ctx.clock.now(), ctx.providers.pace_of(locked.provider))
        await _apply(unit, change, reading)
        return await change.save(unit)

    after = await ctx.database.run(apply)
    if give_up and after.step is Step.PENDING and not after.disputed_at and reason_to_give_up(ctx, after):
        return await stop_waiting(ctx, after)
    return after


async def read(provider: PaymentProvider, payment: Payment, provider_ref: str | None) -> Reading:
    """A fresh word of the provider, compared with what we asked for."""
    if provider_ref is None:
        found = await provider.find_payment(str(payment.id))
        if found is None:
            metrics.reads.labels(payment.provider, "absent").inc()
            return Reading(None)
        provider_ref = found.provider_ref
    try:
        confirmation = await provider.confirm_payment(ExpectedPayment(provider_ref, str(payment.id), payment.money))
    except ProviderRejected:
        metrics.reads.labels(payment.provider, "absent").inc()
        return Reading(None)
    metrics.reads.labels(payment.provider, type(confirmation).__name__.lower()).inc()
    return Reading(confirmation)


async def stop_waiting(ctx: PaymentsContext, payment: Payment) -> Payment:
    """Make the payment unpayable at the provider, then failed here. Paid in the meantime, it is confirmed instead.

    Raises one of UNREACHABLE: then it is tried again on schedule.
    """
    assert payment.provider_ref is not None
    cause = Cause.CANCEL if payment.cancel_requested_at else Cause.EXPIRY
    provider = await ctx.accounts.of(payment)
    try:
        cancellation = await provider.cancel(payment.provider_ref)
    except PaymentNotFound:
        detail = {"provider": "not_found"}
    except ProviderRejected as error:
        # It cannot be ended there, so it may still be paid: that is then a late success.
        detail = {"provider": error.code}
    else:
        if not isinstance(cancellation, Canceled):
            return await examine(ctx, payment, cause, give_up=False)
        detail = {"provider": "canceled"}

    async def fail(unit: UnitOfWork) -> Payment:
        locked = await repository.lock(unit.session, payment.id)
        if locked.step not in WAITING:
            return locked
        change = Change(locked, cause, ctx.clock.now(), ctx.providers.pace_of(locked.provider))
        change.move(Step.FAILED, detail=detail, failure_reason=reason_to_give_up(ctx, locked) or "canceled")
        return await change.save(unit)

    return await ctx.database.run(fail)


def reason_to_give_up(ctx: PaymentsContext, payment: Payment) -> str | None:
    if payment.cancel_requested_at is not None:
        return "canceled"
    return "expired" if ctx.clock.now() >= payment.expires_at else None


async def resolve_due(ctx: PaymentsContext) -> int:
    """Read again what is due; returns how many payments that were."""
    settings = ctx.settings
    due = await repository.claim_due(ctx.database, ctx.clock.now(), schedule.LEASE, settings.poll_batch)
    limit = asyncio.Semaphore(settings.poll_concurrency)

    async def one(payment_id: UUID) -> None:
        async with limit:
            try:
                await _resolve(ctx, payment_id)
            except Exception as error:
                log.error("payment.resolve_failed", payment_id=str(payment_id), exc_info=error)

    async with asyncio.TaskGroup() as group:
        for payment_id in due:
            group.create_task(one(payment_id))
    return len(due)


async def measure(ctx: PaymentsContext) -> None:
    """Age and number of what is unresolved, for the alerts."""
    now = ctx.clock.now()
    row = await repository.backlog(ctx.database)
    metrics.unresolved.labels("payment").set(row.unresolved)
    metrics.unresolved_oldest_seconds.labels("payment").set((now - row.oldest).total_seconds() if row.oldest else 0)
    overdue = (now - row.most_overdue).total_seconds() if row.most_overdue else 0
    metrics.poll_lag_seconds.labels("payment").set(max(overdue, 0))
    metrics.open_disputes.set(row.disputed)


async def _resolve(ctx: PaymentsContext, payment_id: UUID) -> None:
    payment = await repository.find(ctx.database, payment_id)
    if payment is None:
        return
    with only(payment.business_id):
        await _resolve_within(ctx, payment)


async def _resolve_within(ctx: PaymentsContext, payment: Payment) -> None:
    try:
        await examine(ctx, payment, Cause.POLL)
    except UNREACHABLE as error:
        metrics.reads.labels(payment.provider, "unreachable").inc()
        now = ctx.clock.now()
        pace = ctx.providers.pace_of(payment.provider)
        at = schedule.next_reading(payment.step, payment.poll_attempts, now, payment.expires_at, pace)
        await repository.postpone(ctx.database, payment.id, at)
        log.info("payment.unread", payment_id=str(payment.id), provider=payment.provider, code=error.code)


async def _apply(unit: UnitOfWork, change: Change, reading: Reading) -> None:
    match reading.confirmation:
        case None:
            _absent(change)
        case Mismatch(payment=fetched, differences=differences):
            _mismatch(change, fetched, differences)
        case confirmation:
            await _matching(unit, change, confirmation.payment)


def _absent(change: Change) -> None:
    """The provider does not have it: the end of a payment whose time is over, once no creation can be under way."""
    payment, now = change.payment, change.now
    over = payment.cancel_requested_at is not None or now >= payment.expires_at
    if payment.step in UNSENT and over and now - payment.submitted_at >= UNSEEN_FOR:
        reason = "canceled" if payment.cancel_requested_at is not None else "expired"
        change.move(Step.FAILED, detail={"provider": "absent"}, failure_reason=reason)
    else:
        change.note("reading", {"provider": "absent"})


def _mismatch(change: Change, fetched: FetchedPayment, differences: tuple[str, ...]) -> None:
    change.note("reading", {"differences": list(differences), **_seen(fetched)})
    held = fetched.provider_ref == change.payment.provider_ref
    # Under another reference and not the one we hold, it is simply somebody else's.
    if EVIDENCE[fetched.status] is Evidence.PAID and (held or "reference" not in differences):
        change.dispute(",".join(differences))


async def _matching(unit: UnitOfWork, change: Change, fetched: FetchedPayment) -> None:
    payment = change.payment
    evidence = EVIDENCE[fetched.status]
    if payment.provider_ref not in (None, fetched.provider_ref) and not _takes_over(change, fetched, evidence):
        return
    steps = status.path(payment.step, evidence)
    for step in steps:
        change.move(step, detail=_seen(fetched), **_fields(change, step, fetched))
    if not steps:
        change.note("reading", _seen(fetched))
        if change.cause is Cause.WEBHOOK:
            # The notification ran ahead of what can be read: look again soon.
            change.restart_schedule()
    if evidence is Evidence.PAID:
        await refunds.adopt(unit, change, fetched)


def _takes_over(change: Change, fetched: FetchedPayment, evidence: Evidence) -> bool:
    """Whether another payment at the provider under our reference, left by a creation that was never answered, counts
    instead of the one we hold."""
    change.note("reading", {"other": fetched.provider_ref, **_seen(fetched)})
    if evidence is not Evidence.PAID:
        return False
    if change.payment.step in (Step.PENDING, Step.FAILED):
        change.amend(provider_ref=fetched.provider_ref)
        return True
    change.dispute("duplicate")
    return False


def _fields(change: Change, step: Step, fetched: FetchedPayment) -> dict[str, Any]:
    payment = change.payment
    fields: dict[str, Any] = {}
    if payment.provider_ref is None:
        fields["provider_ref"] = fetched.provider_ref
        if fetched.instructions is not None:
            fields |= instructions.columns(fetched.instructions)
    if step is Step.FAILED:
        fields["failure_reason"] = _failure_reason(change, fetched)
    return fields


def _failure_reason(change: Change, fetched: FetchedPayment) -> str:
    """Ours where it was we who ended it, and died before we could write so."""
    payment = change.payment
    if fetched.failure_reason is FailureReason.CANCELED and payment.cancel_requested_at is None:
        return "expired" if change.now >= payment.expires_at else "canceled"
    return fetched.failure_reason.value if fetched.failure_reason else "declined"


def _seen(fetched: FetchedPayment) -> dict[str, Any]:
    seen: dict[str, Any] = {"status": fetched.status.value, "providerStatus": fetched.status_text}
    if fetched.unlisted:
        seen["unlisted"] = True
    if fetched.failure_detail:
        seen["failureCode"] = fetched.failure_detail
    return seen
