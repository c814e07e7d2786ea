"""SII's services of one environment: tokens for a signed seed, uploads, and questions by track id or by document.

Boletas go to a REST service that answers in JSON (its seeds and tokens in XML), all else to an older one: an upload by
form, and SOAP whose every answer is XML in a string.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from chassis.strict_json import InvalidJson

from fiscal.cl import answers, rut
from fiscal.cl.answers import DocumentState, EnvelopeState, Upload
from fiscal.cl.document import Sealed
from fiscal.cl.emitter import Emitter
from fiscal.cl.markup import Unreadable, read
from fiscal.cl.settings import ChileSettings
from fiscal.errors import AuthorityUnavailable, OutcomeUnknown
from fiscal.profile import Environment, IssuerProfile
from fiscal.registry import Tools
from fiscal.tickets import Ticket
from fiscal.transport import Transport

_XML: Final = {"Content-Type": "application/xml"}
_SOAP: Final = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
_BOLETA, _DTE = "boleta", "dte"
_UNREADABLE: Final = "authority_unreadable"

Found = TypeVar("Found")


class SiiClient:
    """Create it inside a running event loop; close it."""

    def __init__(self, settings: ChileSettings, environment: Environment, tools: Tools) -> None:
        boleta, boleta_upload, dte = settings.addresses(environment)
        self._boleta = Transport("sii-boleta", boleta, settings)
        self._boleta_upload = Transport("sii-boleta-upload", boleta_upload, settings)
        self._dte = Transport("sii-dte", dte, settings)
        self._settings = settings
        self._tools = tools

    async def close(self) -> None:
        for transport in (self._boleta, self._boleta_upload, self._dte):
            await transport.close()

    async def upload(self, issuer: IssuerProfile, emitter: Emitter, envelope: bytes, *, boletas: bool) -> Upload:
        """Raises AuthorityUnavailable, OutcomeUnknown."""
        path = "/boleta.electronica.envio" if boletas else "/cgi_dte/UPL/DTEUpload"
        transport = self._boleta_upload if boletas else self._dte
        content_type, body = _form(emitter, envelope)

        async def once(token: str) -> Upload | None:
            headers = {**self._headers(token), "Content-Type": content_type}
            answer = await transport.send("upload", path, data=body, headers=headers)
            if answer.status in (401, 403):
                return None
            if answer.status == 503:
                # SII's door, and not what is behind it.
                raise AuthorityUnavailable(retry_after=answer.retry_after)
            if answer.status >= 500:
                raise OutcomeUnknown
            try:
                found = answers.boleta_upload(answer.json()) if boletas else answers.dte_upload(answer.body)
            except (Unreadable, InvalidJson):
                raise OutcomeUnknown(_UNREADABLE) from None
            if found.later:
                raise AuthorityUnavailable
            return None if found.no_token else found

        return await self._admitted(issuer, emitter, _BOLETA if boletas else _DTE, once)

    async def envelope_state(
        self, issuer: IssuerProfile, emitter: Emitter, track_id: str, *, boletas: bool
    ) -> EnvelopeState:
        """Raises AuthorityUnavailable."""
        number, digit = rut.parts(emitter.tax_id)

        async def boleta(token: str) -> EnvelopeState | None:
            found = await self._rest(token, f"/boleta.electronica.envio/{number}-{digit}-{track_id}")
            return None if found is None else answers.boleta_envelope(found)

        async def dte(token: str) -> EnvelopeState | None:
            arguments = {"RutCompania": number, "DvCompania": digit, "TrackId": track_id, "Token": token}
            return answers.dte_envelope(await self._soap("QueryEstUp", "getEstUp", arguments))

        return await self._read(issuer, emitter, boletas, boleta, dte)

    async def document_state(
        self, issuer: IssuerProfile, emitter: Emitter, sealed: Sealed, *, boletas: bool
    ) -> DocumentState:
        """Raises AuthorityUnavailable."""
        number, digit = rut.parts(sealed.issuer)
        receiver, receiver_digit = rut.parts(sealed.receiver)
        sender, sender_digit = rut.parts(emitter.sender)
        year, month, day = sealed.issued_on.split("-")

        async def boleta(token: str) -> DocumentState | None:
            query = {
                "rut_receptor": receiver,
                "dv_receptor": receiver_digit,
                "monto": sealed.total,
                "fechaEmision": f"{day}-{month}-{year}",
            }
            path = f"/boleta.electronica/{number}-{digit}-{sealed.document_type}-{sealed.folio}/estado"
            found = await self._rest(token, f"{path}?{urlencode(query)}")
            return None if found is None else answers.boleta_document(found)

        async def dte(token: str) -> DocumentState | None:
            arguments = {
                "RutConsultante": sender,
                "DvConsultante": sender_digit,
                "RutCompania": number,
                "DvCompania": digit,
                "RutReceptor": receiver,
                "DvReceptor": receiver_digit,
                "TipoDte": sealed.document_type,
                "FolioDte": str(sealed.folio),
                "FechaEmisionDte": f"{day}{month}{year}",
                "MontoDte": str(sealed.total),
                "Token": token,
            }
            return answers.dte_document(await self._soap("QueryEstDte", "getEstDte", arguments))

        return await self._read(issuer, emitter, boletas, boleta, dte)

    async def _read(
        self,
        issuer: IssuerProfile,
        emitter: Emitter,
        boletas: bool,
        boleta: Callable[[str], Awaitable[Found | None]],
        dte: Callable[[str], Awaitable[Found | None]],
    ) -> Found:
        try:
            return await self._admitted(issuer, emitter, *((_BOLETA, boleta) if boletas else (_DTE, dte)))
        except (Unreadable, InvalidJson):
            raise AuthorityUnavailable(_UNREADABLE) from None

    async def _rest(self, token: str, path: str) -> Any:
        """The JSON; None where the token is no longer good."""
        answer = await self._boleta.ask("state", path, headers=self._headers(token))
        if answer.status in (401, 403):
            return None
        return answer.json()

    async def _soap(self, service: str, operation: str, arguments: Mapping[str, str]) -> Element:
        answer = await self._dte.ask(
            operation, f"/DTEWS/{service}.jws", data=_call(operation, arguments), headers={**_SOAP, **self._headers()}
        )
        return answers.soap_result(answer.body)

    # Tokens

    async def _admitted(
        self, issuer: IssuerProfile, emitter: Emitter, service: str, call: Callable[[str], Awaitable[Found | None]]
    ) -> Found:
        """call with a token, and once more with a new one where it says by None that SII did not take the first."""
        name = f"cl:{issuer.environment.value}:{service}:{emitter.fingerprint}"
        kept = await self._tools.tickets.find(issuer.business_id, name)
        if kept is not None and kept.expires_at > self._tools.clock.now():
            found = await call(kept.content.decode())
            if found is not None:
                return found
        token = await (self._boleta_token(emitter) if service == _BOLETA else self._dte_token(emitter))
        expires_at = self._tools.clock.now() + timedelta(minutes=self._settings.token_minutes)
        await self._tools.tickets.keep(issuer.business_id, name, Ticket(token.encode(), expires_at))
        found = await call(token)
        if found is None:
            raise AuthorityUnavailable("authority_refused_token")
        return found

    async def _boleta_token(self, emitter: Emitter) -> str:
        try:
            seed = await self._boleta.ask("seed", "/boleta.electronica.semilla", headers=self._headers())
            signed = await self._sign(emitter, answers.seed(read(seed.body)))
            headers = {**_XML, **self._headers()}
            answer = await self._boleta.ask("token", "/boleta.electronica.token", data=signed, headers=headers)
            return _granted(answers.token(read(answer.body)))
        except Unreadable:
            raise AuthorityUnavailable(_UNREADABLE) from None

    async def _dte_token(self, emitter: Emitter) -> str:
        try:
            signed = await self._sign(emitter, answers.seed(await self._soap("CrSeed", "getSeed", {})))
            found = await self._soap("GetTokenFromSeed", "getToken", {"pszXml": signed.decode("latin-1")})
            return _granted(answers.token(found))
        except Unreadable:
            raise AuthorityUnavailable(_UNREADABLE) from None

    async def _sign(self, emitter: Emitter, seed: str) -> bytes:
        signed: bytes = await self._tools.workshop.run("fiscal.cl.signing:signed_seed", emitter, seed)
        return signed

    def _headers(self, token: str = "") -> dict[str, str]:
        agent = {"User-Agent": self._settings.user_agent}
        return {**agent, "Cookie": f"TOKEN={token}"} if token else agent


def _granted(token: str) -> str:
    if not token:
        # A certificate that SII does not admit: the documents wait until the owner has mended it.
        raise AuthorityUnavailable("authority_refused_certificate")
    return token


def _call(operation: str, arguments: Mapping[str, str]) -> bytes:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in arguments.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f"<{operation}>{inner}</{operation}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _form(emitter: Emitter, envelope: bytes) -> tuple[str, bytes]:
    """Content type and body of the upload."""
    sender, sender_digit = rut.parts(emitter.sender)
    company, company_digit = rut.parts(emitter.tax_id)
    boundary = f"cobro{sha256(envelope).hexdigest()[:32]}"
    fields = {"rutSender": sender, "dvSender": sender_digit, "rutCompany": company, "dvCompany": company_digit}
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    body += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="archivo"; filename="envio.xml"\r\n'
        "Content-Type: text/xml\r\n\r\n"
    ).encode()
    return f"multipart/form-data; boundary={boundary}", body + envelope + f"\r\n--{boundary}--\r\n".encode()
