"""The use cases of refunds: reserve on the payment, call the provider, post or release.

An unanswered refund is looked up once at once; where that does not tell, the refund stays PENDING with its amount
reserved, and the resolver reads the provider until it does. Only the provider's word releases a reservation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, Claim, IdempotencyScope
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from kernel import InvalidInput, Money, MoneyError, new_id
from psp.capabilities import RefundSupport
from psp.provider import (
    REFUND_DECISION,
    OutcomeUnknown,
    PaymentMethod,
    PaymentNotFound,
    PaymentProvider,
    ProviderError,
    ProviderNotConfigured,
    ProviderRefund,
    ProviderUnavailable,
    RefundRequest,
)
from psp.provider import RefundStatus as ProviderRefundStatus

from payments import metrics
from payments.context import PaymentsContext
from payments.intents import drafts
from payments.intents import errors as payment_errors
from payments.intents import repository as payments
from payments.intents.models import Payment
from payments.intents.moves import Cause, Change
from payments.intents.schedule import LEASE, next_refund_reading
from payments.intents.status import REFUNDABLE
from payments.refunds import errors, ledger, repository
from payments.refunds.models import Refund
from payments.refunds.status import OPEN, UNSENT

log = get_logger(__name__)

Present = Callable[[Refund], bytes]
"""A refund as the body of an answer, in the protocol of whoever asked."""

UNREACHABLE: Final = (ProviderUnavailable, OutcomeUnknown, ProviderNotConfigured)
# A refund the provider does not show for this long after it was sent has not been received there.
UNSEEN_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RefundWish:
    """amount in major units; None: everything that is left."""

    amount: Decimal | None = None
    reason: str | None = None


async def refund_payment(
    ctx: PaymentsContext, payment: Payment, wish: RefundWish, scope: IdempotencyScope, present: Present
) -> Answer:
    """Raises Conflict (not refundable, one is on its way, key in use), RuleViolation (more than is left, not offered or
    refused by the provider), InvalidInput, Unavailable (nothing happened)."""
    amount = _amount(payment, wish)
    provider = await _provider(ctx, payment)
    _check_offered(provider, payment, amount)

    async def begin(unit: UnitOfWork) -> tuple[Claim, Refund] | Answer:
        claim = await ctx.idempotency.claim(unit, scope, new_id())
        if isinstance(claim, Answer):
            return claim
        if claim.resumed:
            refund = await repository.lock(unit.session, claim.resource_id)
            return claim, refund
        change = _change(ctx, await payments.lock(unit.session, payment.id))
        refund = await ledger.reserve(unit, change, claim.resource_id, amount, wish.reason)
        await change.save(unit)
        return claim, refund

    begun = await ctx.database.run(begin)
    if isinstance(begun, Answer):
        return begun
    claim, refund = begun
    if claim.resumed:
        refund = await _examine_quietly(ctx, refund)
    else:
        refund = await _submit(ctx, provider, payment, refund, scope, claim)
    answer = Answer(201, present(refund))

    async def finish(unit: UnitOfWork) -> None:
        await ctx.idempotency.finish(unit, scope, claim, answer)

    await ctx.database.run(finish)
    return answer


async def examine(ctx: PaymentsContext, refund: Refund) -> Refund:
    """Read a refund at its provider and take what follows. Raises one of UNREACHABLE, and changes nothing then."""
    if refund.step not in OPEN:
        return refund
    payment = await payments.find(ctx.database, refund.payment_id)
    assert payment is not None
    provider = await ctx.accounts.of(payment)
    try:
        if refund.provider_refund_ref is not None:
            assert payment.provider_ref is not None
            seen: ProviderRefund | None = await provider.fetch_refund(payment.provider_ref, refund.provider_refund_ref)
        else:
            seen = await provider.find_refund(await _request(ctx, payment, refund))
    except PaymentNotFound:
        seen = None
    if seen is not None and seen.derived and ctx.clock.now() - refund.created_at < REFUND_DECISION:
        raise ProviderUnavailable(payment.provider, "refund_not_decided")
    return await _settle(ctx, refund, seen)


async def resolve_due(ctx: PaymentsContext) -> int:
    """Read again what is due; returns how many refunds that were."""
    due = await repository.claim_due(ctx.database, ctx.clock.now(), LEASE, ctx.settings.poll_batch)
    limit = asyncio.Semaphore(ctx.settings.poll_concurrency)

    async def one(refund_id: UUID) -> None:
        async with limit:
            try:
                refund = await repository.find(ctx.database, refund_id)
                if refund is not None:
                    with only(refund.business_id):
                        await _examine_quietly(ctx, refund)
            except Exception as error:
                log.error("refund.resolve_failed", refund_id=str(refund_id), exc_info=error)

    async with asyncio.TaskGroup() as group:
        for refund_id in due:
            group.create_task(one(refund_id))
    return len(due)


async def measure(ctx: PaymentsContext) -> None:
    """Age and number of what is unresolved, for the alerts."""
    now = ctx.clock.now()
    row = await repository.backlog(ctx.database)
    metrics.unresolved.labels("refund").set(row.unresolved)
    metrics.unresolved_oldest_seconds.labels("refund").set((now - row.oldest).total_seconds() if row.oldest else 0)
    overdue = (now - row.most_overdue).total_seconds() if row.most_overdue else 0
    metrics.poll_lag_seconds.labels("refund").set(max(overdue, 0))


async def _submit(
    ctx: PaymentsContext,
    provider: PaymentProvider,
    payment: Payment,
    refund: Refund,
    scope: IdempotencyScope,
    claim: Claim,
) -> Refund:
    request = await _request(ctx, payment, refund)
    try:
        seen = await provider.refund(request)
    except OutcomeUnknown:
        await _leave_open(ctx, payment, refund)
        return await _examine_quietly(ctx, refund)
    except ProviderError as error:
        await _release(ctx, refund, payment_errors.failure_reason(error), scope, claim)
        raise payment_errors.refusal(error, code="refund") from None
    if seen.status is ProviderRefundStatus.FAILED:
        await _release(ctx, refund, seen.status_text or "failed", scope, claim)
        raise errors.declined(seen.status_text or "failed")
    return await _settle(ctx, refund, seen)


async def _request(ctx: PaymentsContext, payment: Payment, refund: Refund) -> RefundRequest:
    assert payment.provider_ref is not None
    return RefundRequest(
        reference=refund.id,
        provider_ref=payment.provider_ref,
        amount=refund.money,
        reason=refund.reason,
        known_refunds=await repository.known_refs(ctx.database, payment.id),
    )


async def _examine_quietly(ctx: PaymentsContext, refund: Refund) -> Refund:
    """As far as the provider can be asked now; otherwise the schedule goes on."""
    try:
        return await examine(ctx, refund)
    except UNREACHABLE as error:
        log.info("refund.unread", refund_id=str(refund.id), code=error.code)
    payment = await payments.find(ctx.database, refund.payment_id)
    assert payment is not None
    at = next_refund_reading(refund.poll_attempts, ctx.clock.now(), ctx.providers.pace_of(payment.provider))
    await repository.postpone(ctx.database, refund.id, at)
    return refund


async def _settle(ctx: PaymentsContext, refund: Refund, seen: ProviderRefund | None) -> Refund:
    async def apply(unit: UnitOfWork) -> Refund:
        locked = await payments.lock(unit.session, refund.payment_id)
        change = _change(ctx, locked)
        after = (
            await _absent(unit, change, refund) if seen is None else await ledger.settle(unit, change, refund.id, seen)
        )
        await change.save(unit)
        return after

    return await ctx.database.run(apply)


async def _absent(unit: UnitOfWork, change: Change, refund: Refund) -> Refund:
    """The provider shows no such refund. It may still be on its way, so that only time turns this into an answer."""
    locked = await repository.lock(unit.session, refund.id)
    if locked.step in UNSENT and change.now - locked.created_at >= UNSEEN_FOR:
        return await ledger.fail(unit, change, locked, "not_received")
    due = next_refund_reading(locked.poll_attempts, change.now, change.pace) if locked.step in OPEN else None
    await repository.change(unit.session, locked.id, {"next_poll_at": due})
    return locked


async def _leave_open(ctx: PaymentsContext, payment: Payment, refund: Refund) -> None:
    async def mark(unit: UnitOfWork) -> None:
        now = ctx.clock.now()
        at = next_refund_reading(0, now, ctx.providers.pace_of(payment.provider))
        await repository.mark_unanswered(unit.session, refund.id, at, now)

    await ctx.database.run(mark)


async def _release(ctx: PaymentsContext, refund: Refund, reason: str, scope: IdempotencyScope, claim: Claim) -> None:
    async def release(unit: UnitOfWork) -> None:
        change = _change(ctx, await payments.lock(unit.session, refund.payment_id))
        await ledger.fail(unit, change, await repository.lock(unit.session, refund.id), reason)
        await change.save(unit)
        await ctx.idempotency.forget(unit, scope, claim)

    await ctx.database.run(release)


def _change(ctx: PaymentsContext, locked: Payment) -> Change:
    return Change(locked, Cause.REFUND, ctx.clock.now(), ctx.providers.pace_of(locked.provider))


async def _provider(ctx: PaymentsContext, payment: Payment) -> PaymentProvider:
    try:
        return await ctx.accounts.of(payment)
    except ProviderNotConfigured as error:
        raise payment_errors.refusal(error) from None


def _check_offered(provider: PaymentProvider, payment: Payment, amount: Money | None) -> None:
    """Said before anything is reserved. Raises RuleViolation."""
    capability = provider.capabilities.methods.get(drafts.asked_as(provider, PaymentMethod(payment.method)))
    if capability is None or payment.step not in REFUNDABLE:
        return
    if capability.refund is RefundSupport.NONE:
        raise errors.not_supported(provider.capabilities.title)
    if capability.refund is RefundSupport.WHOLE and amount not in (None, payment.money):
        raise errors.partial_not_supported(provider.capabilities.title)


def _amount(payment: Payment, wish: RefundWish) -> Money | None:
    if wish.amount is None:
        return None
    try:
        amount = Money.of(wish.amount, payment.currency)
    except MoneyError as error:
        raise InvalidInput.field("amount", str(error)) from None
    if amount.minor <= 0:
        raise InvalidInput.field("amount", "must be more than zero")
    return amount
