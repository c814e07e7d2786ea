"""A mail server that takes every e-mail, and keeps it in the outbox."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from twins.faults import CALL_FAULTS, FaultKind, FaultPlan
from twins.outbox.messages import Outbox

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Faults by recipient: http_429 and http_500 become SMTP's 451 at RCPT and at the end of DATA."""

    def __init__(self, outbox: Outbox, faults: FaultPlan) -> None:
        self._outbox = outbox
        self._faults = faults

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._faults.take({FaultKind.HTTP_429}, "rcpt", {address})
        if fault is not None:
            return "451 4.7.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = [str(address) for address in envelope.rcpt_tos]
        fault = self._faults.take(CALL_FAULTS - {FaultKind.HTTP_429}, "data", recipients)
        if fault is not None and fault.kind is FaultKind.HTTP_500:
            return "451 4.3.0 Internal error"
        content: Any = envelope.content
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        for to in recipients:
            self._outbox.add(
                "EMAIL",
                to,
                str(envelope.mail_from),
                subject=str(message["Subject"]),
                text=_part(message, "plain"),
                html=_part(message, "html"),
                provider_id=str(message["Message-ID"]),
                provider="smtp",
                headers={name: str(value) for name, value in message.items() if name.startswith("List-")},
            )
        return "250 OK"


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


@asynccontextmanager
async def mail_server(outbox: Outbox, faults: FaultPlan, host: str, port: int | None) -> AsyncIterator[None]:
    """Listening within the block; nothing at all where there is no port."""
    if port is None:
        yield
        return
    from aiosmtpd.smtp import SMTP

    loop, mailbox = asyncio.get_running_loop(), Mailbox(outbox, faults)
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop, enable_SMTPUTF8=True), host, port)
    try:
        yield
    finally:
        server.close()
