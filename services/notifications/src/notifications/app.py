"""The composition root of notifications."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.runtime import Job, Kit, Service
from contracts.billing.v1 import invoices_pb2_grpc
from contracts.events.registry import Lane
from contracts.sales.v1 import sales_pb2_grpc

from notifications.channels.port import Channel, MessageChannel
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.twilio import TwilioChannel
from notifications.context import NotificationsContext
from notifications.delivery.sending import Sender
from notifications.messages.consumers import CONSUMERS
from notifications.messages.contacts import Contacts
from notifications.messages.routes import router as messages
from notifications.messages.templates import Templates
from notifications.preferences.routes import router as preferences
from notifications.settings import NotificationsSettings


async def build(kit: Kit[NotificationsSettings]) -> Service:
    channels = _channels(kit.settings)
    for channel in channels.values():
        kit.on_close(channel.close)
    senders = {
        lane.name: Sender(lane, database=kit.database, clock=kit.clock, cipher=kit.cipher, channels=channels)
        for lane in Lane
    }
    context = NotificationsContext(
        database=kit.database,
        clock=kit.clock,
        cipher=kit.cipher,
        blind_index=kit.blind_index,
        access=kit.access,
        directory=kit.directory,
        contacts=Contacts(
            kit.directory,
            sales_pb2_grpc.SalesStub(kit.channel("sales")),
            invoices_pb2_grpc.InvoicesStub(kit.channel("billing")),
        ),
        templates=Templates(),
        senders=senders,
    )
    return Service(
        context=context,
        routers=[messages, preferences],
        consumers=CONSUMERS,
        # Not exclusive: leases keep several processes apart, and each wakes its own.
        jobs=[Job(f"send-{lane.lower()}", 0.05, sender.run, exclusive=False) for lane, sender in senders.items()],
    )


def _channels(settings: NotificationsSettings) -> Mapping[Channel, MessageChannel]:
    return {
        Channel.SMS: TwilioChannel(
            settings.twilio_api_url,
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            sender=settings.twilio_from,
            timeout=settings.provider_timeout,
        ),
        Channel.EMAIL: SendGridChannel(
            settings.sendgrid_api_url,
            api_key=settings.sendgrid_api_key.get_secret_value(),
            sender=settings.sendgrid_from,
            timeout=settings.provider_timeout,
        ),
    }
