"""SAT's public query of how a CFDI stands (ConsultaCFDIService): in force, canceled, or asked to be."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from fiscal.errors import AuthorityUnavailable
from fiscal.mx.answers import Printout, Standing
from fiscal.transport import Transport
from fiscal.workshop import Workshop

_HEADERS: Final = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": "http://tempuri.org/IConsultaCFDIService/Consulta",
}


class SatQuery:
    def __init__(self, transport: Transport, workshop: Workshop) -> None:
        self._transport = transport
        self._workshop = workshop

    async def standing(self, uuid: str, document: Printout) -> Standing:
        """Raises AuthorityUnavailable."""
        wanted = f"?re={document.issuer}&rr={document.receiver}&tt={document.total}&id={uuid}&fe={document.seal[-8:]}"
        envelope = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            ' xmlns:tem="http://tempuri.org/"><soapenv:Header/><soapenv:Body><tem:Consulta>'
            f"<tem:expresionImpresa>{escape(wanted)}</tem:expresionImpresa>"
            "</tem:Consulta></soapenv:Body></soapenv:Envelope>"
        )
        answer = await self._transport.ask(
            "sat_query", "/ConsultaCFDIService.svc", data=envelope.encode(), headers=_HEADERS
        )
        found: Standing | None = await self._workshop.run("fiscal.mx.reading:standing", answer.body)
        if found is None:
            raise AuthorityUnavailable("sat_answer_unreadable")
        return found

    async def close(self) -> None:
        await self._transport.close()
