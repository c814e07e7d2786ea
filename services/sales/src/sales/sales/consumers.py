"""Queue sales.payments: what became of a sale's payment.

The fact is written down under the row's lock, then the sale is carried on at once. Should that fail, the resumer does
it: the message has done its part with the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chassis.bus.consumer import Consumer, DeadLetter
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded

from sales.context import SalesContext
from sales.refunds import saga as refund_saga
from sales.refunds import service as refunds
from sales.refunds.models import Refund
from sales.sales import repository, saga, settlement
from sales.sales.models import Sale
from sales.sales.peers import Payment
from sales.sales.settlement import ForeignPayment, Verdict
from sales.sales.status import SOLD, SaleStatus

log = get_logger(__name__)

Event = PaymentConfirmed | PaymentFailed | PaymentRefunded


async def on_confirmed(ctx: SalesContext, received: Received[PaymentConfirmed]) -> None:
    event = received.event

    async def apply(unit: UnitOfWork, sale: Sale) -> None:
        payment = _payment(event, confirmed=True)
        verdict = settlement.confirm(sale, payment, ctx.clock.now(), ctx.settings.lease)
        if verdict is Verdict.MISMATCH:
            log.error("sale.amount_mismatch", sale_id=str(sale.id), payment_id=str(payment.id))
        elif verdict is Verdict.LATE:
            log.warning("sale.late_payment", sale_id=str(sale.id), payment_id=str(payment.id))

    await _apply(ctx, received, apply)


async def on_failed(ctx: SalesContext, received: Received[PaymentFailed]) -> None:
    event = received.event

    async def apply(unit: UnitOfWork, sale: Sale) -> None:
        settlement.fail(unit, sale, _payment(event), ctx.clock.now(), ctx.settings.lease)

    await _apply(ctx, received, apply)


async def on_refunded(ctx: SalesContext, received: Received[PaymentRefunded]) -> None:
    """Of a sold sale it is one of its refunds; of any other, late money that has gone back."""
    event = received.event
    going_on: list[Refund] = []

    async def apply(unit: UnitOfWork, sale: Sale) -> None:
        payment = _payment(event)
        if SaleStatus(sale.status) not in SOLD:
            settlement.record_refund(
                unit, sale, payment, event.refunded_amount.money, ctx.clock.now(), ctx.settings.lease
            )
            return
        settlement.check_ours(sale, payment.id, payment.business_id)
        refund = await refunds.on_provider_refund(ctx, unit, sale, received)
        going_on[:] = [] if refund is None else [refund]

    if event.sale_id is not None:
        await refund_saga.learn_names(ctx, event.sale_id, event.refund_id)
    await _apply(ctx, received, apply)
    for refund in going_on:
        await refund_saga.drive(ctx, refund)


CONSUMER = Consumer(
    "sales.payments",
    {PaymentConfirmed: on_confirmed, PaymentFailed: on_failed, PaymentRefunded: on_refunded},
)


async def _apply(
    ctx: SalesContext,
    received: Received[PaymentConfirmed] | Received[PaymentFailed] | Received[PaymentRefunded],
    apply: Callable[[UnitOfWork, Sale], Awaitable[None]],
) -> None:
    event = received.event
    sale_id = event.sale_id
    if sale_id is None:
        return

    async def work(unit: UnitOfWork) -> Sale | None:
        if not await unit.accept(received):
            return None
        sale = await repository.lock(unit, sale_id)
        if sale is None:
            # A sale is stored before its payment is asked for, so there never was one.
            raise DeadLetter(f"no sale {sale_id}")
        await apply(unit, sale)
        return sale

    try:
        sale = await ctx.database.run(work)
    except ForeignPayment as error:
        raise DeadLetter(str(error)) from None
    if sale is not None and SaleStatus(sale.status) not in SOLD:
        await saga.drive(ctx, sale)


def _payment(event: Event, *, confirmed: bool = False) -> Payment:
    return Payment(
        id=event.aggregate_id,
        business_id=event.business_id,
        status=event.status,
        failure_reason=event.failure_reason if isinstance(event, PaymentFailed) else None,
        amount=event.amount.money,
        version=event.aggregate_version,
        confirmed_at=event.confirmed_at if confirmed and isinstance(event, PaymentConfirmed) else None,
    )
