"""The composition root of notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from chassis.http.middleware import BodyLimits
from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.auth.v1 import directory_pb2_grpc
from contracts.billing.v1 import invoices_pb2_grpc
from contracts.sales.v1 import sales_pb2_grpc

from notifications.base import Base
from notifications.callbacks.routes import router as callbacks
from notifications.callbacks.sendgrid import public_key
from notifications.callbacks.verifiers import SENDGRID_PATH, TWILIO_PATH, CallbackVerifiers
from notifications.channels.fcm import FcmChannel, ServiceAccount
from notifications.channels.port import Channel, MessageChannel
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.smtp import SmtpChannel
from notifications.channels.twilio import TwilioChannel
from notifications.channels.vonage import VonageChannel
from notifications.context import NotificationsContext
from notifications.delivery.contents import Contents, web_origin
from notifications.delivery.lanes import AT_ONCE, lane_of
from notifications.delivery.sending import Sender
from notifications.devices.routes import router as devices
from notifications.devices.service import index_of
from notifications.digests.service import digest_job
from notifications.messages.consumers import CONSUMERS
from notifications.messages.contacts import Contacts
from notifications.messages.routes import router as messages
from notifications.messages.templates import Templates
from notifications.preferences.routes import router as preferences
from notifications.settings import NotificationsSettings
from notifications.unsubscribe.links import UnsubscribeLinks
from notifications.unsubscribe.routes import router as unsubscribe


async def build(kit: Kit[NotificationsSettings]) -> Service:
    providers = _providers(kit.settings, kit.common.public_url)
    for channel in (provider for several in providers.values() for provider in several):
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
            channels=providers,
            device_index=lambda token: index_of(kit.blind_index, token),
        )
        for queue, at_once in AT_ONCE.items()
    }
    signing = kit.settings.sendgrid_webhook_public_key
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
        idempotency=kit.idempotency,
        providers=providers,
        links=UnsubscribeLinks(kit.common.public_url, kit.blind_index),
        callbacks=CallbackVerifiers(
            twilio_url=f"{kit.common.public_url.rstrip('/')}{TWILIO_PATH}",
            twilio_auth_token=kit.settings.twilio_auth_token.get_secret_value(),
            sendgrid_key=public_key(signing) if signing else None,
        ),
        stock_digest=timedelta(minutes=kit.settings.stock_digest_minutes),
    )
    return Service(
        context=context,
        routers=[callbacks, messages, preferences, devices, unsubscribe],
        consumers=CONSUMERS,
        jobs=[*(sender.job() for sender in senders.values()), digest_job(context)],
        sealed=sealed_tables(Base),
        # SendGrid gathers events for a while.
        body_limit=BodyLimits({SENDGRID_PATH: 1 << 20}),
    )


def _providers(settings: NotificationsSettings, public_url: str) -> Mapping[Channel, Sequence[MessageChannel]]:
    """Those of each channel that are configured, in the order in which they are asked."""
    sms: list[MessageChannel] = [
        TwilioChannel(
            settings.twilio_api_url,
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            sender=settings.twilio_from,
            timeout=settings.provider_timeout,
            callback_url=_twilio_callback(settings, public_url),
        )
    ]
    if settings.vonage_api_key:
        sms.append(
            VonageChannel(
                settings.vonage_api_url,
                api_key=settings.vonage_api_key,
                api_secret=settings.vonage_api_secret.get_secret_value(),
                sender=settings.vonage_from or settings.twilio_from,
                timeout=settings.provider_timeout,
            )
        )
    email: list[MessageChannel] = [
        SendGridChannel(
            settings.sendgrid_api_url,
            api_key=settings.sendgrid_api_key.get_secret_value(),
            sender=settings.sendgrid_from,
            timeout=settings.provider_timeout,
        )
    ]
    if settings.smtp_host:
        email.append(
            SmtpChannel(
                settings.smtp_host,
                settings.smtp_port,
                sender=settings.sendgrid_from,
                username=settings.smtp_username,
                password=settings.smtp_password.get_secret_value(),
                security=settings.smtp_security,
                timeout=settings.provider_timeout,
            )
        )
    push: list[MessageChannel] = []
    if settings.fcm_service_account.get_secret_value():
        account = ServiceAccount.parse(settings.fcm_service_account.get_secret_value())
        if settings.fcm_token_url:
            account = replace(account, token_uri=settings.fcm_token_url)
        push.append(FcmChannel(settings.fcm_api_url, account=account, timeout=settings.provider_timeout))
    return {Channel.SMS: sms, Channel.EMAIL: email, Channel.PUSH: push}


def _twilio_callback(settings: NotificationsSettings, public_url: str) -> str:
    """The real Twilio refuses a message whose StatusCallback it cannot reach (21609); a twin reaches this machine."""
    real = urlsplit(settings.twilio_api_url).scheme == "https"
    reachable = public_url.startswith("https://") or not real
    return f"{public_url.rstrip('/')}{TWILIO_PATH}" if reachable else ""
