"""The steps of a sale's saga, each one call to another service and what its outcomes mean. `saga` says how they follow
one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from kernel import CobroError, Conflict, Currency, RateLimited, Unauthenticated, Unavailable

from sales.cash_registers import ledger
from sales.devices import repository as devices
from sales.sales import errors, events, presentation, pricing, settlement
from sales.sales.models import Sale
from sales.sales.peers import Payment, outcome_unknown
from sales.sales.status import CancelReason, PaymentMethod, PaymentNote, Step
from sales.sales.turns import SagaContext, Turn, give_up, later, moving, then

log = get_logger(__name__)

# Not the sale's fault: the same call may be answered otherwise a little later.
_TRY_LATER = (Unavailable, Conflict, RateLimited, Unauthenticated)


async def reserve(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        products = await ctx.inventory.reserve(sale, expires_at=_goods_until(ctx, sale))
        price = pricing.priced(sale, products, ctx.settings.rounding_of(Currency(sale.currency)))
    except _TRY_LATER as error:
        if sale.sold_at is not None and error.code != "reservation_mismatch":
            # It has taken place: nobody gives it up because the catalogue is away.
            return await later(ctx, sale, error)
        if not isinstance(error, Unavailable):
            return await give_up(ctx, sale, error.code, error)
        # Release is refused to no one and bars a late Reserve, so even an unknown outcome is settled by it.
        return await give_up(ctx, sale, CancelReason.CATALOG_UNAVAILABLE, error, pause=True)
    except CobroError as error:
        told = error
        if error.code == "insufficient_stock":
            told = errors.with_stock_details(error, [UUID(item["productId"]) for item in sale.basket["items"]])
        return await give_up(ctx, sale, error.code, told)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        pricing.write_prices(current, products, price)
        if current.payment_method == PaymentMethod.CASH:
            current.payment_status = "CONFIRMED"
            current.move(Step.COMMITTING)
        else:
            current.move(Step.PAYING)
        if pricing.differs_from_till(current):
            settlement.note(current, PaymentNote.TILL_MISMATCH)
        settlement.touch(current, ctx.clock.now(), ctx.settings.lease)

    return await then(ctx, sale, write)


async def pay(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        payment = await ctx.payments.create(sale, presentation.open_payer(ctx.cipher, sale))
    except Unavailable as error:
        if outcome_unknown(error):
            return await later(ctx, sale, error)
        return await give_up(ctx, sale, CancelReason.PAYMENT_UNAVAILABLE, error)
    except _TRY_LATER as error:
        busy = Unavailable("The payment is still being created", code="payments_unavailable", retry_after=2)
        busy.__cause__ = error
        return await later(ctx, sale, busy)
    except CobroError as error:
        return await give_up(ctx, sale, CancelReason.PAYMENT_FAILED, error, payment_status="FAILED")

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _write_payment(current, payment)
        if payment.status != "PENDING":
            _apply(ctx, unit, current, payment)
        if Step(current.step) is Step.PAYING:
            current.move(Step.AWAITING_PAYMENT)
            settlement.touch(current, ctx.clock.now(), _until_asked(ctx, payment))
            unit.publish(events.created(current))

    return await then(ctx, sale, write)


async def ask_payment(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        payment = await ctx.payments.get(sale)
    except CobroError as error:
        return await later(ctx, sale, error)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _apply(ctx, unit, current, payment)

    return await then(ctx, sale, write)


async def commit(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.commit(sale)
    except _TRY_LATER as error:
        return await later(ctx, sale, error)
    except CobroError as error:
        log.warning("sale.reservation_gone", sale_id=str(sale.id), code=error.code)
        return await then(ctx, sale, moving(ctx, Step.REVIVING))

    async def write(unit: UnitOfWork, current: Sale) -> None:
        settlement.complete(unit, current, ctx.clock.now())
        await _count_at_till(unit, current)
        await _fill_drawer(unit, current)

    return await then(ctx, sale, write)


async def revive(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.reserve(sale, expires_at=ctx.clock.now() + ctx.settings.grace, revive=True)
    except _TRY_LATER as error:
        return await later(ctx, sale, error)
    except CobroError as error:
        if error.code == "reservation_committed":
            return await then(ctx, sale, moving(ctx, Step.COMMITTING))
        if sale.payment_confirmed_at is None:
            return await give_up(ctx, sale, CancelReason.OUT_OF_STOCK, error)
        return await then(ctx, sale, moving(ctx, Step.REFUNDING))
    return await then(ctx, sale, moving(ctx, Step.COMMITTING))


async def refund(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        # Another driver may have reserved again before this was decided: it finds the step gone; the goods return here.
        await ctx.inventory.release(sale, CancelReason.OUT_OF_STOCK)
        status = await ctx.payments.refund_late(sale)
    except CobroError as error:
        if error.code == "reservation_committed":
            return await then(ctx, sale, moving(ctx, Step.COMMITTING))
        if isinstance(error, _TRY_LATER) and error.code != "payment_not_refundable":
            return await later(ctx, sale, error)
        log.error("sale.late_refund_refused", sale_id=str(sale.id), code=error.code)
        status = "FAILED"

    async def write(unit: UnitOfWork, current: Sale) -> None:
        settlement.refunded(unit, current, status, ctx.clock.now())

    return await then(ctx, sale, write)


async def release(ctx: SagaContext, sale: Sale) -> Turn:
    try:
        await ctx.inventory.release(sale, sale.cancel_reason or CancelReason.CANCELED_BY_USER)
    except _TRY_LATER as error:
        return await later(ctx, sale, error, told=False)
    except CobroError as error:
        log.error("sale.release_refused", sale_id=str(sale.id), code=error.code)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        uncertain = current.provider_amount > 0 and current.transaction_id is None and current.payment_status is None
        current.move(Step.VOIDING if uncertain else Step.SETTLED)
        current.resume_at = ctx.clock.now() if uncertain else None

    turn = await then(ctx, sale, write)
    # Whoever waits for an answer need not wait for payments to come back.
    return Turn(turn.sale, pause=turn.sale.step == Step.VOIDING)


async def void(ctx: SagaContext, sale: Sale) -> Turn:
    """The call that would have created a payment had no clear answer. Asking again tells which payment it is."""
    try:
        payment = await ctx.payments.create(sale, presentation.open_payer(ctx.cipher, sale))
        if payment.status == "PENDING":
            payment = await ctx.payments.cancel(sale, payment.id, CancelReason.PAYMENT_UNAVAILABLE)
    except _TRY_LATER as error:
        return await later(ctx, sale, error, told=False)
    except CobroError as error:
        log.info("sale.no_payment_to_void", sale_id=str(sale.id), code=error.code)
        return await then(ctx, sale, moving(ctx, Step.SETTLED))
    if payment.status == "PENDING":
        return await later(ctx, sale, errors.payment_still_open(), told=False)

    async def write(unit: UnitOfWork, current: Sale) -> None:
        _write_payment(current, payment)
        if payment.status == "CONFIRMED":
            _apply(ctx, unit, current, payment)
        else:
            current.move(Step.SETTLED)
            current.resume_at = None

    return await then(ctx, sale, write)


STEPS: Mapping[Step, Callable[[SagaContext, Sale], Awaitable[Turn]]] = MappingProxyType(
    {
        Step.RESERVING: reserve,
        Step.PAYING: pay,
        Step.COMMITTING: commit,
        Step.REVIVING: revive,
        Step.REFUNDING: refund,
        Step.RELEASING: release,
        Step.VOIDING: void,
    }
)


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


async def _count_at_till(unit: UnitOfWork, sale: Sale) -> None:
    if sale.till is not None and sale.till_sequence is not None:
        await devices.received(
            unit,
            business_id=sale.business_id,
            branch_id=sale.branch_id,
            name=sale.till,
            number=sale.till_sequence,
            cash_session_id=sale.cash_session_id,
        )


async def _fill_drawer(unit: UnitOfWork, sale: Sale) -> None:
    """With what was handed over in cash; what was paid otherwise is counted beside it. Last of all: it locks the
    drawer, which is shared by many cashiers."""
    if sale.provider_amount:
        amount = sale.money(sale.provider_amount)
        await ledger.enter_sale(unit, sale=sale, amount=amount, method=sale.payment_method)
    if sale.cash_paid:
        await ledger.enter_sale(unit, sale=sale, amount=sale.money(sale.cash_paid))


def _goods_until(ctx: SagaContext, sale: Sale) -> datetime:
    return ctx.clock.now() + timedelta(seconds=sale.expires_in or 0) + ctx.settings.grace


def _until_asked(ctx: SagaContext, payment: Payment) -> timedelta:
    """An event should tell how a payment ended; when none has come a little after its expiry, payments is asked, while
    the goods are still reserved."""
    half = ctx.settings.grace / 2
    left = (payment.expires_at - ctx.clock.now()) if payment.expires_at else timedelta(0)
    return max(left, timedelta(0)) + half
