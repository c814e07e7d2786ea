"""What a message says and to whom, at the moment of sending.

Most are stored, encrypted, as they were written. A one-time code is not: auth is asked for it at every try, and it
passes through here into the provider's request without coming to rest in a table, a log or a span.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.rpc.client import call
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Clock, CobroError, NotFound

from notifications.channels.port import Channel, Content, Message, NotTaken
from notifications.delivery.policy import GivenUp
from notifications.messages.contacts import Contact, language_of
from notifications.messages.models import Notification
from notifications.messages.templates import Template, Templates, Wording

_TIMEOUT: Final = 3


class Contents:
    """origin: the host by which a phone recognises whose code it is (WebOTP), empty for none."""

    def __init__(
        self,
        *,
        cipher: FieldCipher,
        clock: Clock,
        templates: Templates,
        codes: directory_pb2_grpc.CodesStub,
        origin: str,
    ) -> None:
        self._cipher = cipher
        self._clock = clock
        self._templates = templates
        self._codes = codes
        self._origin = origin

    async def message(self, notification: Notification) -> Message | NotTaken | GivenUp:
        """GivenUp where there is nothing left to send; NotTaken where auth cannot be asked now."""
        if notification.expires_at is not None and self._clock.now() >= notification.expires_at:
            return GivenUp("expired")
        if notification.code_id is not None:
            return await self._code(notification, notification.code_id)
        return self._stored(notification)

    def _stored(self, notification: Notification) -> Message:
        assert notification.recipient is not None
        assert notification.content is not None
        recipient = self._cipher.decrypt(notification.recipient, context=notification.recipient_place)
        content = self._cipher.decrypt(notification.content, context=notification.content_place)
        return Message(notification.id, recipient, Content.model_validate_json(content))

    async def _code(self, notification: Notification, code_id: UUID) -> Message | NotTaken | GivenUp:
        request = directory_pb2.GetCodeRequest(code_id=str(code_id))
        try:
            code = await call("auth", self._codes.GetCode(request, timeout=_TIMEOUT))
        except NotFound:
            # Used, replaced by a newer one, or expired.
            return GivenUp("code_gone")
        except CobroError as error:
            return NotTaken(error.code)
        left = (datetime.fromtimestamp(code.expires_at, UTC) - self._clock.now()).total_seconds()
        if left <= 0:
            return GivenUp("expired")
        channel = Channel(notification.channel)
        contact = Contact(phone=code.recipient) if channel is Channel.SMS else Contact(email=code.recipient)
        recipient = contact.by_channel().get(channel)
        if recipient is None:
            return GivenUp("no_recipient")
        wording = Wording(
            Template(notification.template),
            language_of(code.language),
            shop="",
            values={"code": code.code, "minutes": str(max(round(left / 60), 1))},
            autofill=f"@{self._origin} #{code.code}" if self._origin else "",
        )
        return Message(notification.id, recipient, self._templates.render(wording, channel))


def web_origin(public_url: str) -> str:
    """The host of an https URL; empty where browsers would not fill a code in: without TLS, or without a name."""
    url = urlsplit(public_url)
    host = url.hostname or ""
    if url.scheme != "https" or not host:
        return ""
    try:
        ip_address(host)
    except ValueError:
        return host
    return ""
