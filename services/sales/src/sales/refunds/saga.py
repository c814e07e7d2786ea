"""Carrying a refund on, step by step, whoever does it: the request that asked for it, an event, or the resumer.

A step is one call that is idempotent by the refund's id, and one transaction that writes its result under the locks of
sale and refund, provided that the refund still is where the call found it. A driver that dies leaves `resume_at`
behind; then it is done again:

PAYING_BACK        asking payments again: the same refund, however often
AWAITING_PROVIDER  asking what has become of it, should its event never come
RESTOCKING         returning the goods again
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from kernel import CobroError, Conflict, RateLimited, Unauthenticated, Unavailable

from sales.refunds import repository, settlement
from sales.refunds.models import Refund
from sales.refunds.status import AT_REST, RefundNote, RefundStep
from sales.sales import repository as sales
from sales.sales.models import Sale
from sales.sales.peers import ProviderRefund
from sales.sales.turns import SagaContext

log = get_logger(__name__)

Write = Callable[[UnitOfWork, Sale, Refund], Awaitable[None]]

# Not the refund's fault: the same call may be answered otherwise a little later.
_TRY_LATER = (Unavailable, Conflict, RateLimited, Unauthenticated)
_MOST_STEPS = 4
_RETRY_AT_MOST = 300.0
# A provider may take days; its event is usually faster than this.
_FIRST_LOOK = timedelta(seconds=30)
_LOOK_AT_MOST = 3600.0


async def drive(ctx: SagaContext, refund: Refund) -> Refund:
    """Carry the refund on until it rests or must wait. Its sale's row must be there."""
    for _ in range(_MOST_STEPS):
        if RefundStep(refund.step) in AT_REST:
            break
        step = pay_back if refund.step == RefundStep.PAYING_BACK else restock
        following = await step(ctx, refund)
        if following.step == refund.step:
            break
        refund = following
    return refund


async def resume(ctx: SagaContext, refund_id: UUID) -> None:
    """Carry on a refund whose driver fell silent, or ask after one that the provider is still working on."""
    async with ctx.database.read() as session:
        refund = await repository.find(session, refund_id)
    if refund is None:
        return
    log.info("refund.resumed", refund_id=str(refund.id), step=refund.step, attempts=refund.resume_attempts)
    with only(refund.business_id):
        if refund.step == RefundStep.AWAITING_PROVIDER:
            refund = await ask(ctx, refund)
        await drive(ctx, refund)


async def learn_names(ctx: SagaContext, sale_id: UUID, provider_refund_id: UUID) -> None:
    """Before money that a provider gave back is taken for its own doing: refunds of ours whose answer has not come yet
    are asked for again, so that each knows its id. Raises Unavailable while one does not."""
    async with ctx.database.read() as session:
        if await repository.of_provider(session, provider_refund_id) is not None:
            return
        unnamed = await repository.unnamed(session, sale_id)
    for refund in unnamed:
        if (await drive(ctx, refund)).step == RefundStep.PAYING_BACK:
            raise Unavailable("A refund of this sale is still without an answer", code="refund_unanswered")


async def pay_back(ctx: SagaContext, refund: Refund) -> Refund:
    sale = await _sale(ctx, refund)
    try:
        seen = await ctx.payments.refund(sale, refund.id, refund.provider_amount, refund.reason)
    except CobroError as error:
        if isinstance(error, _TRY_LATER) and error.code != "payment_not_refundable":
            return await _later(ctx, refund, error)
        return await _refuse(ctx, refund, error.code)
    return await _told(ctx, refund, seen)


async def ask(ctx: SagaContext, refund: Refund) -> Refund:
    sale = await _sale(ctx, refund)
    assert refund.provider_refund_id is not None
    try:
        seen = await ctx.payments.get_refund(sale, refund.provider_refund_id)
    except CobroError as error:
        return await _later(ctx, refund, error)
    return await _told(ctx, refund, seen)


async def restock(ctx: SagaContext, refund: Refund) -> Refund:
    sale = await _sale(ctx, refund)
    lines = {item.id: item.product_id for item in sale.items}
    goods: dict[UUID, int] = {}
    for item in refund.items:
        if item.quantity:
            product = lines[item.sale_item_id]
            goods[product] = goods.get(product, 0) + item.quantity
    note: RefundNote | None = None
    try:
        await ctx.inventory.take_back(sale, refund.id, goods)
    except CobroError as error:
        if isinstance(error, _TRY_LATER) and error.code != "return_mismatch":
            return await _later(ctx, refund, error)
        log.error("refund.restock_refused", refund_id=str(refund.id), code=error.code)
        note = RefundNote.RESTOCK_REFUSED

    async def write(unit: UnitOfWork, sale: Sale, current: Refund) -> None:
        current.move(RefundStep.DONE)
        current.note = note
        current.updated_at = unit.clock.now()
        current.resume_at = None

    return await _then(ctx, refund, write)


async def _told(ctx: SagaContext, refund: Refund, seen: ProviderRefund) -> Refund:
    async def write(unit: UnitOfWork, sale: Sale, current: Refund) -> None:
        current.provider_refund_id = seen.id
        match seen.status:
            case "SUCCEEDED":
                await settlement.succeed(unit, sale, current, ctx.settings.lease)
            case "FAILED":
                settlement.fail(unit, sale, current, seen.failure_reason or "refund_declined")
            case _:
                _wait(current, unit)

    return await _then(ctx, refund, write)


def _wait(refund: Refund, unit: UnitOfWork) -> None:
    """Until the provider's event comes, or it is time to ask."""
    now = unit.clock.now()
    if refund.step != RefundStep.AWAITING_PROVIDER:
        refund.move(RefundStep.AWAITING_PROVIDER)
        refund.resume_attempts = 0
    patience = min(_FIRST_LOOK.total_seconds() * 2.0 ** min(refund.resume_attempts, 10), _LOOK_AT_MOST)
    refund.updated_at = now
    refund.resume_at = now + timedelta(seconds=patience)


async def _refuse(ctx: SagaContext, refund: Refund, code: str) -> Refund:
    log.error("refund.refused", refund_id=str(refund.id), sale_id=str(refund.sale_id), code=code)

    async def write(unit: UnitOfWork, sale: Sale, current: Refund) -> None:
        settlement.fail(unit, sale, current, code)

    return await _then(ctx, refund, write)


async def _later(ctx: SagaContext, refund: Refund, error: CobroError) -> Refund:
    log.warning("refund.step_postponed", refund_id=str(refund.id), step=refund.step, code=error.code)

    async def write(unit: UnitOfWork, sale: Sale, current: Refund) -> None:
        wait = min(2.0 ** min(current.resume_attempts, 10), _RETRY_AT_MOST)
        current.resume_at = unit.clock.now() + timedelta(seconds=wait)

    return await _then(ctx, refund, write)


async def _then(ctx: SagaContext, refund: Refund, write: Write) -> Refund:
    """Write a step's result if the refund still is at that step."""

    async def work(unit: UnitOfWork) -> Refund:
        sale = await sales.lock(unit, refund.sale_id)
        current = await repository.lock(unit, refund.id)
        assert sale is not None
        assert current is not None
        if current.step == refund.step:
            await write(unit, sale, current)
        return current

    return await ctx.database.run(work)


async def _sale(ctx: SagaContext, refund: Refund) -> Sale:
    async with ctx.database.read() as session:
        sale = await sales.find(session, refund.sale_id)
    assert sale is not None
    return sale
