"""E-mail by SMTP (RFC 5321) with STARTTLS or TLS from the start, one connection a message.

SMTP says by the state of the conversation what happened: what fails before the final dot was certainly not sent; a
connection that breaks after it may have been (RFC 1047).
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from email.headerregistry import Address
from email.message import EmailMessage
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from chassis.outbound import CircuitBreaker

from notifications.channels.headers import unsubscribe_headers
from notifications.channels.port import (
    IMAGE_ID,
    IMAGE_NAME,
    Accepted,
    Channel,
    Failed,
    Message,
    NotTaken,
    Outcome,
    Refused,
    Unanswered,
)

if TYPE_CHECKING:
    from aiosmtplib import SMTP

_FAILURES = 10
_OPEN_SECONDS = 5.0


class SmtpSecurity(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpChannel:
    channel: ClassVar[Channel] = Channel.EMAIL
    provider: ClassVar[str] = "smtp"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        username: str = "",
        password: str = "",
        security: SmtpSecurity = SmtpSecurity.STARTTLS,
        timeout: float,
    ) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._username = username
        self._password = password
        self._security = security
        self._timeout = timeout
        self._breaker = CircuitBreaker(_FAILURES, _OPEN_SECONDS, time.monotonic)

    async def send(self, message: Message) -> Outcome:
        wait = self._breaker.admit()
        if wait is not None:
            return NotTaken("circuit open", int(wait) + 1)
        try:
            outcome = await self._converse(message)
        except BaseException:
            self._breaker.abandoned()
            raise
        if isinstance(outcome, Accepted | Refused):
            self._breaker.succeeded()
        else:
            self._breaker.failed()
        return outcome

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _converse(self, message: Message) -> Outcome:
        # aiosmtplib and the email package cost memory that a process which only needs the first provider can spare.
        from aiosmtplib import SMTP, SMTPException  # noqa: PLC0415

        deadline = asyncio.get_running_loop().time() + self._timeout
        client = SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout,
            use_tls=self._security is SmtpSecurity.TLS,
            start_tls=self._security is SmtpSecurity.STARTTLS,
            username=self._username or None,
            password=self._password or None,
        )
        try:
            async with asyncio.timeout_at(deadline):
                await client.connect()
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            return NotTaken(_said(error))
        try:
            return await self._transfer(client, message, deadline)
        finally:
            client.close()

    async def _transfer(self, client: SMTP, message: Message, deadline: float) -> Outcome:
        from aiosmtplib import SMTPException, SMTPResponseException  # noqa: PLC0415

        try:
            async with asyncio.timeout_at(deadline):
                await client.ehlo()
                await client.mail(self._sender)
                await client.rcpt(message.recipient)
        except SMTPResponseException as error:
            # 4yz: not now; 5yz: never (RFC 5321, 4.2.1).
            return Refused(str(error.code)) if error.code >= 500 else NotTaken(str(error.code))
        except (SMTPException, OSError, TimeoutError) as error:
            return NotTaken(_said(error))
        try:
            async with asyncio.timeout_at(deadline):
                answer = await client.data(self._composed(message).as_bytes())
        except SMTPResponseException as error:
            return Refused(str(error.code)) if error.code >= 500 else Failed(str(error.code))
        except (SMTPException, OSError, TimeoutError) as error:
            return Unanswered(_said(error))
        return Accepted(str(answer.code), f"<{message.id}@{self._domain}>")

    @property
    def _domain(self) -> str:
        return self._sender.rpartition("@")[2]

    def _composed(self, message: Message) -> EmailMessage:
        content, mail = message.content, EmailMessage()
        mail["From"] = Address(content.sender_name, addr_spec=self._sender)
        mail["To"] = message.recipient
        mail["Subject"] = content.subject
        # Ours, so that a second try is recognisable as the same message.
        mail["Message-ID"] = f"<{message.id}@{self._domain}>"
        if content.unsubscribe:
            for name, value in unsubscribe_headers(content.unsubscribe).items():
                mail[name] = value
        mail.set_content(content.text)
        mail.add_alternative(content.html, subtype="html")
        if content.image:
            _, html = mail.iter_parts()
            html.add_related(
                b64decode(content.image),
                maintype="image",
                subtype="png",
                cid=f"<{IMAGE_ID}>",
                filename=IMAGE_NAME,
                disposition="inline",
            )
        return mail


def _said(error: BaseException) -> str:
    """The kind of failure alone: servers repeat addresses in what they say."""
    code = getattr(error, "code", None)
    return str(code) if isinstance(code, int) else type(error).__name__
