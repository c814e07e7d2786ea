"""billing.sales: a completed sale gets its document."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from contracts.events.sales import SaleCompleted

from billing.context import BillingContext
from billing.invoices import service


async def on_sale_completed(ctx: BillingContext, received: Received[SaleCompleted]) -> None:
    await service.open_invoice(ctx, received)


CONSUMERS = (Consumer("billing.sales", {SaleCompleted: on_sale_completed}),)
