"""Carrying a sale on, step by step, whoever does it: the request that made it, an event, or the resumer after a crash.

A step is one call to another service and one transaction that writes its result under the row's lock, provided that the
sale still is where the call found it. Calls are idempotent by the sale's id, so two drivers, or a driver and its ghost,
do no harm: the first result counts and the second finds the step gone.

A driver that dies leaves `resume_at` behind, after which the resumer takes over. What happens then:

step              carried on by                     given up when
RESERVING         reserving again                   the catalogue refuses, is down, or the caller is long gone
PAYING            creating the payment again        payments refuses, is down, or the caller is long gone
AWAITING_PAYMENT  asking payments, after expiry     the payment failed
COMMITTING        committing again                  never: REVIVING when the reservation is gone
REVIVING          reserving again                   the goods are gone: REFUNDING
REFUNDING         refunding again                   never
RELEASING         releasing again                   never
VOIDING           learning of the payment, then canceling it    never
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.database import Database, UnitOfWork
from chassis.database.idempotency import RELEASE_SQL, Answer, Claim, Idempotency, IdempotencyScope
from chassis.telemetry.logs import get_logger
from kernel import Clock, CobroError, Conflict, RateLimited, Unauthenticated, Unavailable
from sqlalchemy import text

from sales.sales import errors, events, presentation, pricing, repository, settlement
from sales.sales.models import Sale
from sales.sales.peers import Inventory, Payer, Payment, Payments, lifetime, outcome_unknown
from sales.sales.status import AT_REST, CancelReason, PaymentMethod, SaleStatus, Step
from sales.settings import SalesSettings

log = get_logger(__name__)

_RELEASE = text(RELEASE_SQL)
_MOST_STEPS = 12
_RETRY_AT_MOST = 60.0
# Not the sale's fault: the same call may be answered otherwise a little later.
_TRY_LATER = (Unavailable, Conflict, RateLimited, Unauthenticated)


class SagaContext(Protocol):
    """What the saga needs of the service's context."""

    @property
    def settings(self) -> SalesSettings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def cipher(self) -> FieldCipher: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def inventory(self) -> Inventory: ...
    @property
    def payments(self) -> Payments: ...


@dataclass(slots=True)
class Turn:
    """Where a step left the sale. error: what the caller is told. answer: stored under the caller's Idempotency-Key.
    pause: nothing more can be done now."""

    sale: Sale
    error: CobroError | None = None
    answer: Answer | None = None
    pause: bool = False


async def drive(ctx: SagaContext, sale: Sale) -> Turn:
    """Carry the sale on until it rests or must wait."""
    turn = Turn(sale)
    for _ in range(_MOST_STEPS):
        if turn.pause or Step(turn.sale.step) in AT_REST:
            break
        following = await _STEPS[Step(turn.sale.step)](ctx, turn.sale)
        turn = Turn(
            following.sale, turn.error or following.error, following.answer or turn.answer, pause=following.pause
        )
    return turn


async def resume(ctx: SagaContext, sale_id: UUID) -> None:
    """Carry on a sale whose driver fell silent, or ask after a payment that should have ended by now."""
    async with ctx.database.read() as session:
        sale = await repository.find(session, sale_id)
    if sale is None:
        return
    log.info("sale.resumed", sale_id=str(sale.id), step=sale.step, attempts=sale.resume_attempts)
    step = Step(sale.step)
    if step is Step.AWAITING_PAYMENT:
        sale = (await _ask_payment(ctx, sale)).sale
    elif step in {Step.RESERVING, Step.PAYING} and _abandoned(ctx, sale):
        gone = Unavailable("The sale was not carried on in time", code="sale_abandoned")
        sale = (await _give_up(ctx, sale, CancelReason.PAYMENT_UNAVAILABLE, gone)).sale
    await drive(ctx, sale)


async def _reserve(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        products = await ctx.inventory.reserve(sale, expires_at=_goods_until(ctx, sale))
        totals = pricing.priced(sale, products)
    except Unavailable as error:
        # Release is refused to no one and bars a late Reserve, so even an unknown outcome is settled by it.
        return await _give_up(ctx, sale, CancelReason.CATALOG_UNAVAILABLE, error, pause=True)
    except CobroError as error:
        told = error
        if error.code == "insufficient_stock":
            told = errors.with_stock_details(error, [UUID(item["productId"]) for item in sale.basket["items"]])
        return await _give_up(ctx, sale, error.code, told)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        pricing.write_prices(current, products, totals)
        if current.payment_method == PaymentMethod.CASH:
            current.payment_status = "CONFIRMED"
            current.move(Step.COMMITTING)
        else:
            current.move(Step.PAYING)
        settlement.touch(current, ctx.clock.now(), ctx.settings.lease)

    return await _then(ctx, sale, write)


async def _pay(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        payment = await ctx.payments.create(sale, _payer(ctx, sale), expires_in=_lifetime(ctx, sale))
    except Unavailable as error:
        if outcome_unknown(error):
            return await _later(ctx, sale, error)
        return await _give_up(ctx, sale, CancelReason.PAYMENT_UNAVAILABLE, error)
    except _TRY_LATER as error:
        busy = Unavailable("The payment is still being created", code="payments_unavailable", retry_after=2)
        busy.__cause__ = error
        return await _later(ctx, sale, busy)
    except CobroError as error:
        return await _give_up(ctx, sale, CancelReason.PAYMENT_FAILED, error, payment_status="FAILED")

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _write_payment(current, payment)
        if payment.status != "PENDING":
            _apply(ctx, unit, current, payment)
        if Step(current.step) is Step.PAYING:
            current.move(Step.AWAITING_PAYMENT)
            settlement.touch(current, ctx.clock.now(), _until_asked(ctx, payment))
            unit.publish(events.created(current))

    return await _then(ctx, sale, write)


async def _ask_payment(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        payment = await ctx.payments.get(sale)
    except CobroError as error:
        return await _later(ctx, sale, error)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _apply(ctx, unit, current, payment)

    return await _then(ctx, sale, write)


async def _commit(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.commit(sale)
    except _TRY_LATER as error:
        return await _later(ctx, sale, error)
    except CobroError as error:
        log.warning("sale.reservation_gone", sale_id=str(sale.id), code=error.code)
        return await _then(ctx, sale, _moving(ctx, Step.REVIVING))

    async def write(unit: UnitOfWork, current: Sale) -> None:
        settlement.complete(unit, current, ctx.clock.now())

    return await _then(ctx, sale, write)


async def _revive(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.reserve(sale, expires_at=ctx.clock.now() + ctx.settings.grace, revive=True)
    except _TRY_LATER as error:
        return await _later(ctx, sale, error)
    except CobroError as error:
        if error.code == "reservation_committed":
            return await _then(ctx, sale, _moving(ctx, Step.COMMITTING))
        if sale.payment_confirmed_at is None:
            return await _give_up(ctx, sale, CancelReason.OUT_OF_STOCK, error)
        return await _then(ctx, sale, _moving(ctx, Step.REFUNDING))
    return await _then(ctx, sale, _moving(ctx, Step.COMMITTING))


async def _refund(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        # Another driver may have reserved again before this was decided: it finds the step gone; the goods return here.
        await ctx.inventory.release(sale, CancelReason.OUT_OF_STOCK)
        status = await ctx.payments.refund_late(sale)
    except _TRY_LATER as error:
        return await _later(ctx, sale, error)
    except CobroError as error:
        if error.code == "reservation_committed":
            return await _then(ctx, sale, _moving(ctx, Step.COMMITTING))
        log.error("sale.late_refund_refused", sale_id=str(sale.id), code=error.code)
        status = "FAILED"

    async def write(unit: UnitOfWork, current: Sale) -> None:
        settlement.refunded(unit, current, status, ctx.clock.now())

    return await _then(ctx, sale, write)


async def _release(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.release(sale, sale.cancel_reason or CancelReason.CANCELED_BY_USER)
    except _TRY_LATER as error:
        return await _later(ctx, sale, error, told=False)
    except CobroError as error:
        log.error("sale.release_refused", sale_id=str(sale.id), code=error.code)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        uncertain = current.total > 0 and current.transaction_id is None and current.payment_status is None
        current.move(Step.VOIDING if uncertain else Step.SETTLED)
        current.resume_at = ctx.clock.now() if uncertain else None

    turn = await _then(ctx, sale, write)
    # Whoever waits for an answer need not wait for payments to come back.
    return Turn(turn.sale, pause=turn.sale.step == Step.VOIDING)


async def _void(ctx: SagaContext, sale: Sale) -> Turn:
    """The call that would have created a payment had no clear answer. Asking again tells which payment it is."""
    try:
        payment = await ctx.payments.create(sale, _payer(ctx, sale), expires_in=_lifetime(ctx, sale))
        if payment.status == "PENDING":
            payment = await ctx.payments.cancel(sale, payment.id, CancelReason.PAYMENT_UNAVAILABLE)
    except _TRY_LATER as error:
        return await _later(ctx, sale, error, told=False)
    except CobroError as error:
        log.info("sale.no_payment_to_void", sale_id=str(sale.id), code=error.code)
        return await _then(ctx, sale, _moving(ctx, Step.SETTLED))
    if payment.status == "PENDING":
        return await _later(ctx, sale, errors.payment_still_open(), told=False)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _write_payment(current, payment)
        if payment.status == "CONFIRMED":
            _apply(ctx, unit, current, payment)
        else:
            current.move(Step.SETTLED)
            current.resume_at = None

    return await _then(ctx, sale, write)


_STEPS: dict[Step, Callable[[SagaContext, Sale], Awaitable[Turn]]] = {
    Step.RESERVING: _reserve,
    Step.PAYING: _pay,
    Step.COMMITTING: _commit,
    Step.REVIVING: _revive,
    Step.REFUNDING: _refund,
    Step.RELEASING: _release,
    Step.VOIDING: _void,
}


async def _then(ctx: SagaContext, sale: Sale, write: Callable[[UnitOfWork, Sale], Awaitable[None]]) -> Turn:
    """Write a step's result if the sale still is at that step, and answer the request that waits for it."""

    async def work(unit: UnitOfWork) -> Turn:
        current = await repository.lock(unit, sale.id)
        assert current is not None
        if current.step == sale.step:
            await write(unit, current)
        return Turn(current, answer=await _answer_caller(ctx, unit, current))

    return await ctx.database.run(work)


async def _answer_caller(ctx: SagaContext, unit: UnitOfWork, sale: Sale) -> Answer | None:
    """Once the sale can be shown, its answer is stored under the caller's key; once it is off, the key is free."""
    if sale.idempotency_owner is None:
        return None
    scope, claim = _claim(sale)
    if sale.status == SaleStatus.CANCELED:
        sale.idempotency_owner = None
        await ctx.idempotency.forget(unit, scope, claim)
        return None
    if sale.status == SaleStatus.PENDING_PAYMENT and sale.step != Step.AWAITING_PAYMENT:
        return None
    sale.idempotency_owner = None
    answer = presentation.answer(sale, ctx.cipher, 201)
    await ctx.idempotency.finish(unit, scope, claim, answer)
    return answer


async def _give_up(
    ctx: SagaContext,
    sale: Sale,
    reason: str,
    error: CobroError,
    *,
    payment_status: str | None = None,
    pause: bool = False,
) -> Turn:
    async def write(unit: UnitOfWork, current: Sale) -> None:
        current.payment_status = payment_status
        lease = timedelta(0) if pause else ctx.settings.lease
        settlement.cancel(unit, current, reason, ctx.clock.now(), lease)

    turn = await _then(ctx, sale, write)
    if turn.sale.status != SaleStatus.CANCELED:
        # Another driver was more fortunate with the same step.
        return turn
    return Turn(turn.sale, error=error, pause=pause)


async def _later(ctx: SagaContext, sale: Sale, error: CobroError, *, told: bool = True) -> Turn:
    """The outcome is not known: the resumer asks again, and so may the caller, with the same key."""
    log.warning("sale.step_postponed", sale_id=str(sale.id), step=sale.step, code=error.code)

    async def work(unit: UnitOfWork) -> Turn:
        current = await repository.lock(unit, sale.id)
        assert current is not None
        if current.step == sale.step:
            wait = min(2.0**current.resume_attempts, _RETRY_AT_MOST)
            current.resume_at = ctx.clock.now() + timedelta(seconds=wait)
            if current.idempotency_owner is not None:
                scope, claim = _claim(current)
                await unit.session.execute(_RELEASE, ctx.idempotency.holding(scope, claim))
            return Turn(current, error=error if told else None, pause=True)
        return Turn(current)

    return await ctx.database.run(work)


def _moving(ctx: SagaContext, step: Step) -> Callable[[UnitOfWork, Sale], Awaitable[None]]:
    async def write(unit: UnitOfWork, current: Sale) -> None:
        current.move(step)
        current.resume_at = None if step is Step.SETTLED else ctx.clock.now() + ctx.settings.lease

    return write


def _apply(ctx: SagaContext, unit: UnitOfWork, sale: Sale, payment: Payment) -> None:
    """What a payment that was read says, by the same rules as its events."""
    now, lease = ctx.clock.now(), ctx.settings.lease
    match payment.status:
        case "CONFIRMED" | "PARTIALLY_REFUNDED":
            settlement.confirm(sale, payment, now, lease)
        case "FAILED":
            settlement.fail(unit, sale, payment, now, lease)
        case "REFUNDED":
            settlement.record_refund(unit, sale, payment, payment.amount, now, lease)
        case _:
            sale.resume_at = now + _until_asked(ctx, payment)


def _write_payment(sale: Sale, payment: Payment) -> None:
    sale.transaction_id = payment.id
    sale.payment_status = payment.status
    sale.payment_version = max(sale.payment_version, payment.version)
    sale.payment_details = payment.details
    sale.payment_expires_at = payment.expires_at


def _claim(sale: Sale) -> tuple[IdempotencyScope, Claim]:
    assert sale.idempotency_owner is not None
    scope = IdempotencyScope(sale.created_by, sale.idempotency_route or "", sale.idempotency_key, b"")
    return scope, Claim(sale.idempotency_owner, sale.id)


def _payer(ctx: SagaContext, sale: Sale) -> Payer:
    known = presentation.open_customer(ctx.cipher, sale)
    if known is None:
        return Payer()
    return Payer(name=known.name or "", phone=known.phone or "", email=known.email or "")


def _lifetime(ctx: SagaContext, sale: Sale) -> int:
    return lifetime(sale, qr=ctx.settings.qr_expires_in, link=ctx.settings.link_expires_in)


def _goods_until(ctx: SagaContext, sale: Sale) -> datetime:
    cash = sale.payment_method == PaymentMethod.CASH
    waits = timedelta(0) if cash else timedelta(seconds=_lifetime(ctx, sale))
    return ctx.clock.now() + waits + ctx.settings.grace


def _until_asked(ctx: SagaContext, payment: Payment) -> timedelta:
    """An event should tell how a payment ended; when none has come a little after its expiry, payments is asked, while
    the goods are still reserved."""
    half = ctx.settings.grace / 2
    left = (payment.expires_at - ctx.clock.now()) if payment.expires_at else timedelta(0)
    return max(left, timedelta(0)) + half


def _abandoned(ctx: SagaContext, sale: Sale) -> bool:
    return ctx.clock.now() - sale.created_at > timedelta(seconds=ctx.settings.creation_deadline)
