"""Use cases of refunds: one function each, owning its transactions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.auth import BusinessRole, Permission, Principal
from chassis.bus.received import Received
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, Claim, IdempotencyScope
from chassis.http.pagination import PageParams, Slice
from chassis.telemetry.logs import get_logger
from contracts.events.payments import PaymentRefunded
from kernel import Currency, InvalidInput, Money, MoneyError, new_id

from sales.cash_registers import ledger
from sales.context import SalesContext
from sales.refunds import errors, presentation, reckoning, repository, saga, settlement
from sales.refunds.models import Refund, RefundItem
from sales.refunds.reckoning import Reckoning, Units, Wish
from sales.refunds.schemas import RefundIn
from sales.refunds.status import RefundOrigin, RefundStatus, RefundStep
from sales.sales import repository as sales
from sales.sales import service as sale_service
from sales.sales.models import Sale
from sales.sales.status import SOLD, SaleStatus

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """By whom, and whether the limit is theirs."""

    user_id: UUID
    is_owner: bool


async def refund(
    ctx: SalesContext, caller: Principal, sale_id: UUID, body: RefundIn, scope: IdempotencyScope
) -> Answer:
    """Give a sold sale back. Returns the refund, SUCCEEDED, or PENDING while the provider takes its time or does not
    answer.

    Raises Conflict (sale_not_refundable, cash_register_closed), RuleViolation (nothing_to_refund, refund_exceeds_sale,
    item_not_in_sale, and what the provider refuses it with), Forbidden (refund_needs_owner). Then nothing was given
    back.
    """
    sale = await sale_service.get(ctx, caller, sale_id, permission=Permission.OPERATE)
    membership = await ctx.access.require(caller, sale.business_id, Permission.OPERATE, branch_id=sale.branch_id)
    asked = _Asked(caller.user_id, membership.role is BusinessRole.OWNER)
    wish = _wish(body, Currency(sale.currency))

    async def begin(unit: UnitOfWork) -> tuple[Claim, Refund] | Answer:
        claim = await ctx.idempotency.claim(unit, scope, new_id())
        if isinstance(claim, Answer):
            return claim
        locked = await sales.lock(unit, sale_id)
        assert locked is not None
        if claim.resumed:
            earlier = await repository.lock(unit, claim.resource_id)
            assert earlier is not None
            return claim, earlier
        return claim, await _begin(ctx, unit, locked, wish, body, asked, claim.resource_id)

    begun = await ctx.database.run(begin)
    if isinstance(begun, Answer):
        return begun
    claim, started = begun
    await saga.drive(ctx, started)

    async def finish(unit: UnitOfWork) -> Answer | str | None:
        locked = await sales.lock(unit, sale_id)
        current = await repository.lock(unit, started.id)
        assert locked is not None
        assert current is not None
        if current.status == RefundStatus.FAILED:
            await ctx.idempotency.forget(unit, scope, claim)
            return current.failure_reason
        answer = presentation.answer(locked, current)
        await ctx.idempotency.finish(unit, scope, claim, answer)
        return answer

    answer = await ctx.database.run(finish)
    if not isinstance(answer, Answer):
        raise errors.refused(answer)
    return answer


async def find(ctx: SalesContext, caller: Principal, sale_id: UUID, params: PageParams) -> tuple[Sale, Slice]:
    """A page of the sale's refunds, newest first. Raises NotFound."""
    sale = await sale_service.get(ctx, caller, sale_id)
    async with ctx.database.read() as session:
        return sale, await repository.page(session, sale_id, params)


async def on_provider_refund(
    ctx: SalesContext, unit: UnitOfWork, sale: Sale, received: Received[PaymentRefunded]
) -> Refund | None:
    """A refund of a sold sale's payment reached its end at the provider: ours, which goes on, or one that was made in
    the provider's own back office, which is entered here as money alone. None when that is no news."""
    event = received.event
    sale.payment_status = event.status
    sale.payment_version = max(sale.payment_version, event.aggregate_version)
    known = await repository.of_provider(unit.session, event.refund_id)
    if known is None:
        return await _adopt(unit, sale, event)
    found = await repository.lock(unit, known)
    assert found is not None
    if found.step != RefundStep.AWAITING_PROVIDER:
        return None
    await settlement.succeed(unit, sale, found, ctx.settings.lease)
    return found


async def _begin(
    ctx: SalesContext, unit: UnitOfWork, sale: Sale, wish: Wish, body: RefundIn, asked: _Asked, refund_id: UUID
) -> Refund:
    if SaleStatus(sale.status) not in SOLD:
        raise errors.sale_not_sold(sale.status)
    reckoned = reckoning.reckon(sale, wish, ctx.settings.rounding_of(Currency(sale.currency)))
    _check_limit(ctx, sale, reckoned, asked)
    if reckoned.cash:
        drawer = await ledger.refund_session_for(unit, sale=sale, register_id=body.cash_register_id)
    else:
        drawer = await ledger.session_for(
            unit, business_id=sale.business_id, branch_id=sale.branch_id, register_id=body.cash_register_id
        )
    started = _new_refund(unit, sale, reckoned, refund_id)
    started.created_by = asked.user_id
    started.reason = body.reason
    started.restock = body.restock
    started.cash_session_id = drawer
    started.resume_at = unit.clock.now() + ctx.settings.lease
    unit.session.add(started)
    reckoning.reserve(sale, reckoned)
    if not started.provider_amount:
        await settlement.succeed(unit, sale, started, ctx.settings.lease)
    return started


async def _adopt(unit: UnitOfWork, sale: Sale, event: PaymentRefunded) -> Refund | None:
    reckoned = reckoning.reckon_of_provider(sale, event.refund_amount.money)
    log.warning("refund.made_at_provider", sale_id=str(sale.id), refund_id=str(event.refund_id), known=reckoned is None)
    if reckoned is None:
        return None
    adopted = _new_refund(unit, sale, reckoned, new_id())
    adopted.origin = RefundOrigin.PROVIDER
    adopted.step = RefundStep.DONE
    adopted.provider_refund_id = event.refund_id
    unit.session.add(adopted)
    reckoning.reserve(sale, reckoned)
    await settlement.record(unit, sale, adopted)
    return adopted


def _new_refund(unit: UnitOfWork, sale: Sale, reckoned: Reckoning, refund_id: UUID) -> Refund:
    now = unit.clock.now()
    return Refund(
        id=refund_id,
        business_id=sale.business_id,
        branch_id=sale.branch_id,
        sale_id=sale.id,
        origin=RefundOrigin.MERCHANT,
        status=RefundStatus.PENDING,
        step=RefundStep.PAYING_BACK,
        amount=reckoned.amount.decimal,
        tax=reckoned.tax.decimal,
        cash_amount=reckoned.cash.decimal,
        cash_returned=reckoned.cash_returned.decimal,
        restock=False,
        created_at=now,
        updated_at=now,
        resume_attempts=0,
        items=[
            RefundItem(
                id=new_id(),
                business_id=sale.business_id,
                refund_id=refund_id,
                sale_item_id=item.id,
                position=position,
                quantity=part.quantity,
                amount=part.amount.decimal,
                tax=part.tax.decimal,
            )
            for position, (item, part) in enumerate(reckoned.parts)
        ],
    )


def _check_limit(ctx: SalesContext, sale: Sale, reckoned: Reckoning, asked: _Asked) -> None:
    """Of all refunds of one sale together, so that a large one cannot be had in small pieces."""
    limit = ctx.settings.refund_limit_of(Currency(sale.currency))
    if asked.is_owner or limit is None:
        return
    if sale.refund_reserved + reckoned.amount.decimal > limit.decimal:
        raise errors.needs_owner(f"{limit} {limit.currency}")


def _wish(body: RefundIn, currency: Currency) -> Wish:
    if body.items is not None:
        return Wish(units=[Units(item.quantity, item.item_id, item.product_id) for item in body.items])
    if body.amount is None:
        return Wish()
    try:
        amount = Money.of(body.amount, currency)
    except MoneyError as error:
        raise InvalidInput.field("amount", str(error)) from None
    if amount.minor <= 0:
        raise InvalidInput.field("amount", "must be more than zero")
    return Wish(amount=amount)
