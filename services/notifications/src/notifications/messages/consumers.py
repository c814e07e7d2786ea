"""What each event makes us say, and to whom. The queues are lanes that never wait for each other.

An event that makes us say nothing is still consumed: the bus records it, and the delivery audit knows that it arrived.
"""

from __future__ import annotations

from collections.abc import Mapping

from chassis.auth import BusinessRole
from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from chassis.tenancy import everyone
from contracts.events import DomainEvent
from contracts.events.analytics import ReportWeeklyReady
from contracts.events.auth import (
    MemberAdded,
    UserCodeRequested,
    UserDeleted,
    UserKycReviewed,
    UserPasswordChanged,
    UserRegistered,
)
from contracts.events.billing import InvoiceFailed, InvoiceIssued
from contracts.events.catalog import StockLow
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from contracts.events.sales import CashRegisterClosed, SaleCanceled, SaleRefunded
from contracts.events.webhooks import WebhookEndpointDisabled

from notifications.channels.port import Channel
from notifications.context import NotificationsContext
from notifications.digests import service as digests
from notifications.messages import service
from notifications.messages.templates import Template
from notifications.weekly import service as weekly

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
    await _to_merchant(ctx, received, to, Template.PAYMENT_RECEIVED, values)


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


async def on_sale_refunded(ctx: NotificationsContext, received: Received[SaleRefunded]) -> None:
    """The buyer has it in writing that cash was given back. What went back through a provider, payment.refunded says,
    once the provider has said so."""
    event = received.event
    cash = [part.amount.money for part in event.parts if part.payment_id is None]
    if not cash:
        return
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    amount = cash[0]
    for more in cash[1:]:
        amount += more
    values = {
        "amount": to.formatter.money(amount),
        "date": to.formatter.moment(event.refunded_at, event.time_zone),
    }
    contact = await ctx.contacts.buyer(event.business_id, event.aggregate_id)
    await service.write(ctx, received, to, contact, Template.SALE_REFUNDED, values)


async def on_cash_register_closed(ctx: NotificationsContext, received: Received[CashRegisterClosed]) -> None:
    """The owner learns of a drawer whose cash is not what it should be, by more than the business tolerates."""
    event = received.event
    if not event.needs_approval:
        return
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {
        "register": event.register_name,
        "branch": await ctx.contacts.branch_name(event.business_id, event.branch_id),
        "expected": to.formatter.money(event.expected_cash.money),
        "counted": to.formatter.money(event.closing_cash.money),
        "difference": to.formatter.money(event.difference.money),
        "date": to.formatter.moment(event.closed_at, event.time_zone),
    }
    await _to_merchant(ctx, received, to, Template.CASH_DIFFERENCE, values, first_channel_only=True)


async def on_invoice_failed(ctx: NotificationsContext, received: Received[InvoiceFailed]) -> None:
    """The merchant learns of a sale without its document. Why, Cobro shows: an authority's words may name buyers."""
    event = received.event
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {"number": event.invoice_number, "total": to.formatter.money(event.total.money)}
    await _to_merchant(ctx, received, to, Template.INVOICE_FAILED, values, first_channel_only=True)


async def on_stock_low(ctx: NotificationsContext, received: Received[StockLow]) -> None:
    """Gathered for a while, so that a busy afternoon is one message: see `digests`."""
    await digests.gather(ctx, received)


async def on_webhook_disabled(ctx: NotificationsContext, received: Received[WebhookEndpointDisabled]) -> None:
    """The merchant learns that their own system is not told any more what happens."""
    event = received.event
    to = await service.letter(ctx, event.business_id)
    if to is None:
        return
    values = {"host": event.host, "date": f"{to.formatter.moment(event.disabled_at, 'UTC')} UTC"}
    await _to_merchant(ctx, received, to, Template.WEBHOOK_DISABLED, values, first_channel_only=True)


async def on_weekly_ready(ctx: NotificationsContext, received: Received[ReportWeeklyReady]) -> None:
    """The owner has the week in figures and as a chart, by e-mail: see `weekly`."""
    await weekly.tell(ctx, received)


async def on_code_requested(ctx: NotificationsContext, received: Received[UserCodeRequested]) -> None:
    """The code is on its way at once; whether it is still wanted, the sender asks."""
    await service.write_code(ctx, received)


async def on_user_registered(ctx: NotificationsContext, received: Received[UserRegistered]) -> None:
    """Welcome, by e-mail alone: the phone gets a code in the same minute. It names nobody: whose address it is has not
    been shown yet, and what a stranger typed would reach its owner in our name."""
    user_id = received.event.aggregate_id
    account = await ctx.contacts.account(user_id)
    to = service.account_letter(ctx, user_id, account.language)
    await service.write(ctx, received, to, account.contact, Template.WELCOME, {}, only=Channel.EMAIL)


async def on_password_changed(ctx: NotificationsContext, received: Received[UserPasswordChanged]) -> None:
    """By every channel there is: whoever took the account may read one of them."""
    event = received.event
    account = await ctx.contacts.account(event.aggregate_id)
    to = service.account_letter(ctx, event.aggregate_id, account.language)
    values = {"date": f"{to.formatter.moment(event.changed_at, 'UTC')} UTC"}
    reader = await service.reader(ctx, event.aggregate_id)
    await service.write(ctx, received, to, account.contact, Template.PASSWORD_CHANGED, values, reader=reader)


async def on_kyc_reviewed(ctx: NotificationsContext, received: Received[UserKycReviewed]) -> None:
    event = received.event
    account = await ctx.contacts.account(event.user_id)
    to = service.account_letter(ctx, event.user_id, account.language)
    template = Template.KYC_APPROVED if event.approved else Template.KYC_REJECTED
    values = {"level": str(event.level)}
    reader = await service.reader(ctx, event.user_id)
    await service.write(ctx, received, to, account.contact, template, values, first_channel_only=True, reader=reader)


async def on_member_added(ctx: NotificationsContext, received: Received[MemberAdded]) -> None:
    """The employee learns by SMS which business they work for now: the phone is what they log in with."""
    event = received.event
    if event.role == BusinessRole.OWNER:
        return
    business = await service.letter(ctx, event.business_id)
    if business is None:
        return
    account = await ctx.contacts.account(event.user_id)
    to = service.account_letter(ctx, event.user_id, account.language)
    values = {"business": business.shop}
    # The message is the employee's, and so none of the rows of the business whose event this is.
    with everyone():
        await service.write(ctx, received, to, account.contact, Template.MEMBER_ADDED, values, only=Channel.SMS)


async def on_user_deleted(ctx: NotificationsContext, received: Received[UserDeleted]) -> None:
    await service.forget_user(ctx, received)


async def _to_merchant(
    ctx: NotificationsContext,
    received: Received[DomainEvent],
    to: service.Letter,
    template: Template,
    values: Mapping[str, str],
    *,
    first_channel_only: bool = False,
) -> None:
    """To the business's own address, and to its owner's devices."""
    assert to.business_id is not None
    contact = await ctx.contacts.merchant(to.business_id)
    reader = await service.reader(ctx, to.owner_id) if to.owner_id else service.NOBODY
    await service.write(
        ctx, received, to, contact, template, values, first_channel_only=first_channel_only, reader=reader
    )


async def say_nothing(_: NotificationsContext, __: Received[DomainEvent]) -> None:
    """A failed payment speaks through its sale."""


CONSUMERS = (
    Consumer(
        "notifications.critical",
        {
            PaymentConfirmed: on_payment_confirmed,
            PaymentFailed: say_nothing,
            PaymentRefunded: on_payment_refunded,
        },
    ),
    Consumer("notifications.codes", {UserCodeRequested: on_code_requested}),
    Consumer(
        "notifications.high",
        {
            UserRegistered: on_user_registered,
            UserDeleted: on_user_deleted,
            UserPasswordChanged: on_password_changed,
            UserKycReviewed: on_kyc_reviewed,
            MemberAdded: on_member_added,
            InvoiceIssued: on_invoice_issued,
            SaleCanceled: on_sale_canceled,
            SaleRefunded: on_sale_refunded,
            CashRegisterClosed: on_cash_register_closed,
        },
    ),
    Consumer(
        "notifications.normal",
        {
            StockLow: on_stock_low,
            InvoiceFailed: on_invoice_failed,
            WebhookEndpointDisabled: on_webhook_disabled,
            ReportWeeklyReady: on_weekly_ready,
        },
    ),
)
