"""WSAA and WSFEv1 over SOAP 1.1: three operations and the ticket they need."""

from __future__ import annotations

import ssl
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from kernel import Clock

from fiscal.ar.answer_shapes import Consulted, Decision, Last, Login
from fiscal.ar.settings import ArgentinaSettings
from fiscal.ar.tickets import Pass, Tickets
from fiscal.errors import AuthorityUnavailable, BadProfile, OutcomeUnknown, WorkshopFailed
from fiscal.profile import Environment, IssuerProfile
from fiscal.registry import Tools
from fiscal.transport import Transport

_WSFE: Final = "http://ar.gov.afip.dif.FEV1/"
_WSAA: Final = "http://wsaa.view.sua.dvadac.desein.afip.gov"
_LOGIN_PATH: Final = "/ws/services/LoginCms"
_WSFE_PATH: Final = "/wsfev1/service.asmx"
_TICKET_REFUSED: Final = frozenset({"600", "601"})
# What the business has to mend: its certificate, or its registration for the service.
_BAD_CERTIFICATE: Final = ("cms.", "coe.notAuthorized")
_ALREADY: Final = "coe.alreadyAuthenticated"


class ArcaClient:
    """Of one environment. Create it inside a running event loop."""

    def __init__(self, environment: Environment, settings: ArgentinaSettings, tools: Tools) -> None:
        proving = environment is Environment.TEST
        self._settings = settings
        self._workshop = tools.workshop
        self._clock: Clock = tools.clock
        self._wsaa = _transport("wsaa", settings.test_wsaa_url if proving else settings.wsaa_url, settings)
        self._wsfe = _transport("wsfe", settings.test_wsfe_url if proving else settings.wsfe_url, settings)
        self._tickets = Tickets(tools.tickets, tools.clock, settings, self._login)

    async def close(self) -> None:
        await self._wsaa.close()
        await self._wsfe.close()

    async def last(self, issuer: IssuerProfile, point_of_sale: int, type: int) -> Last:
        """Raises AuthorityUnavailable, BadProfile."""
        body = f"<PtoVta>{point_of_sale}</PtoVta><CbteTipo>{type}</CbteTipo>".encode()
        found: Last = await self._asked(issuer, "FECompUltimoAutorizado", body, "last")
        return found

    async def consult(
        self, issuer: IssuerProfile, point_of_sale: int, type: int, number: int, prepared: bytes
    ) -> Consulted:
        """Raises AuthorityUnavailable, BadProfile."""
        body = (
            f"<FeCompConsReq><CbteTipo>{type}</CbteTipo><CbteNro>{number}</CbteNro>"
            f"<PtoVta>{point_of_sale}</PtoVta></FeCompConsReq>"
        ).encode()
        found: Consulted = await self._asked(issuer, "FECompConsultar", body, "consulted", prepared)
        return found

    async def solicit(self, issuer: IssuerProfile, prepared: bytes) -> tuple[Decision, bytes]:
        """What was decided, and the answer as it came. Raises AuthorityUnavailable, OutcomeUnknown, BadProfile."""
        for last_try in (False, True):
            ticket = await self._tickets.of(issuer)
            operation = "FECAESolicitar"
            answer = await self._wsfe.send(
                operation, _WSFE_PATH, data=_envelope(operation, issuer, ticket, prepared), headers=_headers(operation)
            )
            if answer.status == 503:
                raise AuthorityUnavailable(retry_after=answer.retry_after)
            if answer.status != 200:
                raise OutcomeUnknown
            try:
                found: Decision = await self._workshop.run("fiscal.ar.answers:decision", answer.body)
            except WorkshopFailed:
                raise OutcomeUnknown("answer_unreadable") from None
            if not _refuses_ticket(found):
                return found, answer.body
            await self._tickets.drop(issuer, ticket)
            if last_try:
                break
        raise AuthorityUnavailable("ticket_refused")

    async def _asked(self, issuer: IssuerProfile, operation: str, body: bytes, reader: str, *more: bytes) -> Any:
        for last_try in (False, True):
            ticket = await self._tickets.of(issuer)
            answer = await self._wsfe.ask(
                operation, _WSFE_PATH, data=_envelope(operation, issuer, ticket, body), headers=_headers(operation)
            )
            try:
                found = await self._workshop.run(f"fiscal.ar.answers:{reader}", answer.body, *more)
            except OutcomeUnknown as error:
                # Nothing was moved by asking.
                raise AuthorityUnavailable(error.code) from None
            if not _refuses_ticket(found):
                return found
            await self._tickets.drop(issuer, ticket)
            if last_try:
                break
        raise AuthorityUnavailable("ticket_refused")

    async def _login(self, issuer: IssuerProfile) -> Pass:
        """Raises AuthorityUnavailable, BadProfile."""
        secrets = issuer.secrets
        signed: str = await self._workshop.run(
            "fiscal.ar.signing:ticket_request",
            self._settings.service,
            self._clock.now(),
            self._settings.ticket_minutes,
            secrets["certificate"],
            secrets["privateKey"],
            secrets.get("privateKeyPassword"),
        )
        body = f'<loginCms xmlns="{_WSAA}"><in0>{signed}</in0></loginCms>'.encode()
        try:
            # Its noes are faults with status 500, which `ask` would take for trouble.
            answer = await self._wsaa.send("loginCms", _LOGIN_PATH, data=_soap(body), headers=_headers(""))
            if answer.status == 503:
                raise AuthorityUnavailable(retry_after=answer.retry_after)
            found: Login = await self._workshop.run("fiscal.ar.answers:login", answer.body)
        except OutcomeUnknown as error:
            # A ticket that was given and lost is refused for a while; no document depends on it.
            raise AuthorityUnavailable(error.code) from None
        if found.fault is not None:
            raise self._refused(found.fault.code)
        assert found.expires_at is not None
        return Pass(found.token, found.sign, found.expires_at)

    def _refused(self, code: str) -> Exception:
        if code == _ALREADY:
            return AuthorityUnavailable("ticket_elsewhere", retry_after=self._settings.ticket_wait_seconds)
        if code.startswith(_BAD_CERTIFICATE):
            return BadProfile.field("credentials.certificate", f"is refused by ARCA ({code})")
        return AuthorityUnavailable("ticket_refused", retry_after=self._settings.ticket_wait_seconds)


def weak_tls() -> ssl.SSLContext:
    """For a host whose Diffie-Hellman keys are too short for OpenSSL's usual level, and for nothing else of it: the
    certificate and the host's name are verified."""
    context = ssl.create_default_context()
    context.set_ciphers("DEFAULT@SECLEVEL=1")
    return context


def _transport(peer: str, url: str, settings: ArgentinaSettings) -> Transport:
    weak = urlsplit(url).hostname in settings.weak_tls_hosts
    return Transport(peer, url, settings, tls=weak_tls() if weak else None)


def _refuses_ticket(found: Any) -> bool:
    return any(message.code in _TICKET_REFUSED for message in found.errors)


def _envelope(operation: str, issuer: IssuerProfile, ticket: Pass, body: bytes) -> bytes:
    token, sign = escape(ticket.token), escape(ticket.sign)
    auth = f"<Auth><Token>{token}</Token><Sign>{sign}</Sign><Cuit>{issuer.tax_id}</Cuit></Auth>"
    return _soap(f'<{operation} xmlns="{_WSFE}">{auth}'.encode() + body + f"</{operation}>".encode())


def _soap(body: bytes) -> bytes:
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        + body
        + b"</soap:Body></soap:Envelope>"
    )


def _headers(operation: str) -> dict[str, str]:
    action = f"{_WSFE}{operation}" if operation else ""
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
