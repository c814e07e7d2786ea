"""Use cases of refunds: each of what was documented has its credit note."""

from __future__ import annotations

from chassis.bus.received import Received
from chassis.database import UnitOfWork
from contracts.events.sales import SaleRefunded

from billing.context import BillingContext
from billing.credits import repository
from billing.credits.opening import open_credit_notes


async def record_refund(ctx: BillingContext, received: Received[SaleRefunded]) -> None:
    """Keep the refund, and take it back from the sale's fiscal document where there is one. Where that is still under
    way, or its event has not come yet, its acceptance does so."""
    event = received.event

    async def work(unit: UnitOfWork) -> None:
        if not await unit.accept(received):
            return
        await repository.lock_sale(unit.session, event.aggregate_id)
        await repository.add_refund(
            unit.session,
            {
                "business_id": event.business_id,
                "refund_id": event.refund_id,
                "sale_id": event.aggregate_id,
                "amount": event.amount.money.decimal,
                "tax": event.refunded_tax.money.decimal,
                "items": [item.model_dump(mode="json", by_alias=True) for item in event.items],
                "refunded_at": event.refunded_at,
            },
        )
        origin = await repository.standing(unit.session, event.business_id, event.aggregate_id)
        if origin is not None:
            await open_credit_notes(unit.session, origin, ctx.clock.now())

    await ctx.database.run(work)
    ctx.transmitter.wake()
