"""The composition root of notifications."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.auth.v1 import directory_pb2_grpc
from contracts.billing.v1 import invoices_pb2_grpc
from contracts.sales.v1 import sales_pb2_grpc

from notifications.base import Base
from notifications.channels.port import Channel, MessageChannel
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.twilio import TwilioChannel
from notifications.context import NotificationsContext
from notifications.delivery.contents import Contents, web_origin
from notifications.delivery.lanes import AT_ONCE, lane_of
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
    templates = Templates()
    contents = Contents(
        cipher=kit.cipher,
        clock=kit.clock,
        templates=templates,
        codes=directory_pb2_grpc.CodesStub(kit.channel("auth")),
        origin=web_origin(kit.common.public_url),
    )
    senders = {
        queue: Sender(
            lane_of(queue),
            at_once=at_once,
            database=kit.database,
            clock=kit.clock,
            contents=contents,
            channels=channels,
        )
        for queue, at_once in AT_ONCE.items()
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
            directory_pb2_grpc.DirectoryStub(kit.channel("auth")),
            sales_pb2_grpc.SalesStub(kit.channel("sales")),
            invoices_pb2_grpc.InvoicesStub(kit.channel("billing")),
        ),
        templates=templates,
        senders=senders,
    )
    return Service(
        context=context,
        routers=[messages, preferences],
        consumers=CONSUMERS,
        jobs=[sender.job() for sender in senders.values()],
        sealed=sealed_tables(Base),
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
