"""Finkok, SOAP. Operations stamp, stamped (what was stamped of an XML) and cancel_signature.

What it stamped before it answers with 307, with or without the document; `stamped` may lag behind by a moment.
Operations and shapes are from others' clients (satcfdi, phpcfdi), not from a sandbox of its own.
"""

from __future__ import annotations

import base64
from typing import ClassVar, Final
from xml.sax.saxutils import escape

from chassis.outbound import OutboundResponse
from pydantic import SecretStr

from fiscal.errors import AuthorityUnavailable, OutcomeUnknown
from fiscal.mx.answers import Soap
from fiscal.mx.pac import CancelAnswer, Pac, Refused, Stamped
from fiscal.transport import Transport
from fiscal.workshop import Workshop

_STAMPED_BEFORE: Final = frozenset({"307", "707"})
# About our account with it, or its own way to SAT: the document is not at fault.
_NOT_THE_DOCUMENT: Final = frozenset({"300", "702", "703", "708", "soap"})
_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8"}


class Finkok(Pac):
    name: ClassVar[str] = "finkok"

    def __init__(
        self, transport: Transport, workshop: Workshop, user: str, password: SecretStr, not_stamped: tuple[str, ...]
    ) -> None:
        self._transport = transport
        self._workshop = workshop
        self._user = user
        self._password = password
        self._not_stamped = frozenset(not_stamped)

    async def stamp(self, sealed: bytes, custom_id: str) -> Stamped | Refused:
        body = await self._sent("stamp", "stamp", sealed)
        if body.xml:
            return Stamped(body.xml)
        codes = {message.code for message in body.messages}
        if codes & _STAMPED_BEFORE:
            found = await self._found(sealed)
            if found is None:
                raise OutcomeUnknown
            return found
        if codes & _NOT_THE_DOCUMENT:
            raise AuthorityUnavailable("pac_refused")
        if codes:
            return Refused(body.messages)
        raise OutcomeUnknown

    async def stamped(self, sealed: bytes, custom_id: str) -> Stamped | None:
        answer = await self._transport.ask(
            "finkok_stamped", _path("stamp"), data=self._envelope("stamp", "stamped", sealed), headers=_HEADERS
        )
        body = await self._read(answer)
        if body is not None and body.xml:
            return Stamped(body.xml)
        if body is not None and {message.code for message in body.messages} & self._not_stamped:
            return None
        raise AuthorityUnavailable("pac_answer_unreadable")

    async def cancel(self, request: bytes) -> CancelAnswer:
        body = await self._sent("cancel", "cancel_signature", request)
        if body.status:
            return CancelAnswer(body.status, receipt=body.receipt)
        if body.messages:
            first = body.messages[0]
            if first.code in _NOT_THE_DOCUMENT:
                raise AuthorityUnavailable("pac_refused")
            return CancelAnswer(first.code, first.text)
        raise OutcomeUnknown

    async def close(self) -> None:
        await self._transport.close()

    async def _found(self, sealed: bytes) -> Stamped | None:
        try:
            return await self.stamped(sealed, "")
        except AuthorityUnavailable:
            return None

    async def _sent(self, service: str, operation: str, xml: bytes) -> Soap:
        answer = await self._transport.send(
            f"finkok_{operation}", _path(service), data=self._envelope(service, operation, xml), headers=_HEADERS
        )
        if answer.status == 503:
            raise AuthorityUnavailable(retry_after=answer.retry_after)
        body = await self._read(answer)
        if body is None:
            raise OutcomeUnknown
        return body

    async def _read(self, answer: OutboundResponse) -> Soap | None:
        body: Soap | None = await self._workshop.run("fiscal.mx.reading:soap", answer.body)
        return body

    def _envelope(self, service: str, operation: str, xml: bytes) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:f="http://facturacion.finkok.com/{service}"><soapenv:Header/><soapenv:Body><f:{operation}>'
            f"<f:xml>{base64.b64encode(xml).decode()}</f:xml>"
            f"<f:username>{escape(self._user)}</f:username>"
            f"<f:password>{escape(self._password.get_secret_value())}</f:password>"
            f"</f:{operation}></soapenv:Body></soapenv:Envelope>"
        ).encode()


def _path(service: str) -> str:
    return f"/servicios/soap/{service}.wsdl"
