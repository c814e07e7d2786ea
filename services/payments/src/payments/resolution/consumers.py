"""What payments does with incoming events."""

from __future__ import annotations

from uuid import UUID

from chassis.bus.consumer import Consumer
from chassis.bus.received import Received
from chassis.telemetry.logs import get_logger
from chassis.tenancy import only
from contracts.events import DomainEvent
from contracts.events.auth import BusinessDeleted, BusinessUpdated
from contracts.events.webhooks import WebhookReceived

from payments import metrics
from payments.context import PaymentsContext
from payments.intents import repository
from payments.intents.models import Payment
from payments.intents.moves import Cause
from payments.resolution import service

log = get_logger(__name__)

# The webhook may arrive before our own commit, so an unknown payment is looked for again on the first rungs of the
# retry ladder; what is unknown still is somebody else's, made with the same account at the provider.
_LOOKED_FOR = 3


class PaymentNotHere(Exception):
    """The payment of a webhook is not found yet: try again later."""


async def on_webhook(ctx: PaymentsContext, received: Received[WebhookReceived]) -> None:
    event = received.event
    if event.provider_ref is None and event.our_reference is None:
        return  # a ping, or a topic we do not follow
    payment = await _payment_of(ctx, event)
    if payment is not None and payment.account_id != event.account_id:
        # Signed with the keys of an account that this payment was not made with: no word about it.
        metrics.foreign_webhooks.labels(event.provider).inc()
        log.warning("webhook.of_another_account", provider=event.provider, payment_id=str(payment.id))
        return
    if payment is None:
        if received.attempt < _LOOKED_FOR:
            raise PaymentNotHere(f"{event.provider} {event.event_type}")
        metrics.foreign_webhooks.labels(event.provider).inc()
        log.warning("webhook.foreign", provider=event.provider, webhook_event_id=str(event.webhook_event_id))
        return
    # The look-up had to see everyone's payments: a provider does not know our businesses. From here on it is one's.
    with only(payment.business_id):
        try:
            await service.examine(ctx, payment, Cause.WEBHOOK, provider_ref=event.provider_ref, received=received)
        except service.UNREACHABLE:
            await repository.postpone(ctx.database, payment.id, ctx.clock.now())


async def on_business_change(ctx: PaymentsContext, received: Received[DomainEvent]) -> None:
    await ctx.directory.forget(received)


async def _payment_of(ctx: PaymentsContext, event: WebhookReceived) -> Payment | None:
    if event.provider_ref is not None:
        payment = await repository.find_by_provider_ref(ctx.database, event.provider, event.provider_ref)
        if payment is not None:
            return payment
    try:
        reference = UUID(event.our_reference or "")
    except ValueError:
        return None
    payment = await repository.find(ctx.database, reference)
    return payment if payment is not None and payment.provider == event.provider else None


CONSUMERS = (
    Consumer("payments.webhooks", {WebhookReceived: on_webhook}),
    Consumer("payments.directory", {BusinessUpdated: on_business_change, BusinessDeleted: on_business_change}),
)
