"""What each event makes us say, and to whom. The three queues are lanes that never wait for each other.

An event that makes us say nothing is still consumed: the bus records it, and the delivery audit knows that it arrived.
"""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from contracts.events import DomainEvent
from contracts.events.auth import UserRegistered
from contracts.events.billing import InvoiceIssued
from contracts.events.catalog import StockLow
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from contracts.events.sales import SaleCanceled

from notifications.context import NotificationsContext
from notifications.messages import service
from notifications.messages.templates import Template

# The buyer was there and knows when the till itself gave up; these two happen after they have left it.
_BUYER_IS_AWAY = frozenset({"payment_failed", "payment_expired"})


async def on_invoice_issued(ctx: NotificationsContext, received: Received[InvoiceIssued]) -> None:
    """The buyer gets the receipt."""
    event = received.event
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    contact = await ctx.contacts.buyer(event.business_id, event.sale_id)
    if not contact.by_channel():
        return
    values = {
        "total": to.formatter.money(event.total.money),
        "number": event.invoice_number,
        "date": to.formatter.moment(event.issued_at, event.time_zone),
    }
    link = await ctx.contacts.receipt_link(event.business_id, event.sale_id)
    await service.write(ctx, received, to, contact, Template.RECEIPT, values, link=link)


async def on_sale_canceled(ctx: NotificationsContext, received: Received[SaleCanceled]) -> None:
    """The buyer learns that a payment they were asked for will not complete the purchase."""
    event = received.event
    if event.reason not in _BUYER_IS_AWAY:
        return
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    contact = await ctx.contacts.buyer(event.business_id, event.aggregate_id)
    values = {"total": to.formatter.money(event.total.money)}
    await service.write(ctx, received, to, contact, Template.PAYMENT_INCOMPLETE, values)


async def on_payment_confirmed(ctx: NotificationsContext, received: Received[PaymentConfirmed]) -> None:
    """The merchant learns of a payment that no sale will show them."""
    event = received.event
    if event.sale_id is not None:
        return
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {
        "amount": to.formatter.money(event.amount.money),
        "method": to.method(event.method),
        "date": to.formatter.moment(event.confirmed_at, event.time_zone),
    }
    contact = await ctx.contacts.merchant(event.business_id)
    await service.write(ctx, received, to, contact, Template.PAYMENT_RECEIVED, values)


async def on_payment_refunded(ctx: NotificationsContext, received: Received[PaymentRefunded]) -> None:
    """The buyer of a sale learns that money is on its way back."""
    event = received.event
    if event.sale_id is None:
        return
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {
        "amount": to.formatter.money(event.refund_amount.money),
        "date": to.formatter.moment(event.refunded_at, event.time_zone),
    }
    contact = await ctx.contacts.buyer(event.business_id, event.sale_id)
    await service.write(ctx, received, to, contact, Template.PAYMENT_REFUNDED, values)


async def on_stock_low(ctx: NotificationsContext, received: Received[StockLow]) -> None:
    """The merchant is told to restock, by e-mail where they have one: it is news, not an alarm."""
    event = received.event
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {
        "product": event.product_name,
        "branch": await ctx.contacts.branch_name(event.business_id, event.branch_id),
        "on_hand": str(event.on_hand),
        "min_stock": str(event.min_stock),
    }
    contact = await ctx.contacts.merchant(event.business_id)
    await service.write(ctx, received, to, contact, Template.STOCK_LOW, values, first_channel_only=True)


async def say_nothing(_: NotificationsContext, __: Received[DomainEvent]) -> None:
    """user.registered carries no contact and no service hands one out; a failed payment speaks through its sale."""


CONSUMERS = (
    Consumer(
        "notifications.critical",
        {
            PaymentConfirmed: on_payment_confirmed,
            PaymentFailed: say_nothing,
            PaymentRefunded: on_payment_refunded,
        },
    ),
    Consumer(
        "notifications.high",
        {UserRegistered: say_nothing, InvoiceIssued: on_invoice_issued, SaleCanceled: on_sale_canceled},
    ),
    Consumer("notifications.normal", {StockLow: on_stock_low}),
)
