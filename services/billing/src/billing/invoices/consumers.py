"""billing.sales: a completed sale gets its document, and a refund its credit note."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from contracts.events.sales import SaleCompleted, SaleRefunded

from billing.context import BillingContext
from billing.credits.service import record_refund
from billing.invoices import service


async def on_sale_completed(ctx: BillingContext, received: Received[SaleCompleted]) -> None:
    await service.open_invoice(ctx, received)


async def on_sale_refunded(ctx: BillingContext, received: Received[SaleRefunded]) -> None:
    await record_refund(ctx, received)


CONSUMERS = (Consumer("billing.sales", {SaleCompleted: on_sale_completed, SaleRefunded: on_sale_refunded}),)
