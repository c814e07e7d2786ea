"""Carrying a sale on, step by step, whoever does it: the request that made it, an event, or the resumer after a crash.

A step is one call to another service and one transaction that writes its result under the row's lock, provided that the
sale still is where the call found it. Calls are idempotent by the sale's id, so two drivers, or a driver and its ghost,
do no harm: the first result counts and the second finds the step gone.

A driver that dies leaves `resume_at` behind, after which the resumer takes over. What happens then:

step              carried on by                     given up when
RESERVING         reserving again                   the catalogue refuses, is down, or the caller is long gone (a sale
                                                    made offline only when it refuses)
PAYING            creating the payment again        payments refuses, is down, or the caller is long gone
AWAITING_PAYMENT  asking payments, after expiry     the payment failed
COMMITTING        committing again                  never: REVIVING when the reservation is gone
REVIVING          reserving again                   the goods are gone: REFUNDING
REFUNDING         refunding again                   never
RELEASING         releasing again                   never
VOIDING           learning of the payment, then canceling it    never
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from kernel import Unavailable

from sales.sales import repository, steps
from sales.sales.models import Sale
from sales.sales.status import AT_REST, CancelReason, Step
from sales.sales.turns import SagaContext, Turn, give_up

log = get_logger(__name__)

_MOST_STEPS = 12


async def drive(ctx: SagaContext, sale: Sale) -> Turn:
    """Carry the sale on until it rests or must wait."""
    turn = Turn(sale)
    for _ in range(_MOST_STEPS):
        if turn.pause or Step(turn.sale.step) in AT_REST:
            break
        following = await steps.STEPS[Step(turn.sale.step)](ctx, turn.sale)
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
    with only(sale.business_id):
        await _resume(ctx, sale)


async def _resume(ctx: SagaContext, sale: Sale) -> None:
    log.info("sale.resumed", sale_id=str(sale.id), step=sale.step, attempts=sale.resume_attempts)
    step = Step(sale.step)
    if step is Step.AWAITING_PAYMENT:
        sale = (await steps.ask_payment(ctx, sale)).sale
    elif step in {Step.RESERVING, Step.PAYING} and _abandoned(ctx, sale):
        gone = Unavailable("The sale was not carried on in time", code="sale_abandoned")
        unpriced = step is Step.RESERVING
        reason = CancelReason.CATALOG_UNAVAILABLE if unpriced else CancelReason.PAYMENT_UNAVAILABLE
        sale = (await give_up(ctx, sale, reason, gone)).sale
    await drive(ctx, sale)


def _abandoned(ctx: SagaContext, sale: Sale) -> bool:
    # What was sold offline is not given up: its buyer left before it came here.
    return sale.sold_at is None and ctx.clock.now() - sale.created_at > timedelta(
        seconds=ctx.settings.creation_deadline
    )
