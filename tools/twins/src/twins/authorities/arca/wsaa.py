"""WSAA: a ticket of twelve hours to whoever signs for one with a certificate of the authority, one at a time.

Its clock is the caller's: a ticket runs from the middle of the request's span, so that tests may stand anywhere in
time.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi.responses import Response

from twins.authorities.arca import soap
from twins.authorities.arca.certificates import CertificateAuthority, cuit_of
from twins.authorities.arca.cms import CmsError, verified
from twins.store import Store

KIND = "arca.ticket"
_LIFE = timedelta(hours=12)


class Wsaa:
    def __init__(self, store: Store, authority: CertificateAuthority) -> None:
        self._store = store
        self._authority = authority

    def login(self, body: bytes, reject: bool) -> Response:
        try:
            call = soap.operation(body)
            content, certificate = verified(base64.b64decode(soap.text(call, "in0"), validate=True))
        except (soap.Malformed, binascii.Error):
            return soap.fault("ns1:cms.bad.base64", "No se puede decodificar el BASE64")
        except CmsError as error:
            return soap.fault("ns1:cms.sign.invalid", f"Firma inválida o algoritmo no soportado: {error}")
        if reject:
            return soap.fault("ns1:coe.notAuthorized", "Computador no autorizado a acceder al servicio")
        if not self._authority.gave(certificate):
            return soap.fault("ns1:cms.cert.untrusted", "Certificado no emitido por AC de confianza")
        return self._ticket(content, certificate)

    def holder(self, token: str, sign: str) -> str | None:
        """The CUIT whose ticket it is."""
        for ticket in self._store.newest(KIND, 1000):
            if ticket["token"] == token and ticket["sign"] == sign and not ticket.get("revoked"):
                return str(ticket["cuit"])
        return None

    def revoke(self) -> int:
        """Every ticket there is, as if the service had forgotten them."""
        found = [ticket for ticket in self._store.newest(KIND, 1000) if not ticket.get("revoked")]
        for ticket in found:
            self._store.put(KIND, str(ticket["id"]), {**ticket, "revoked": True})
        return len(found)

    def _ticket(self, content: bytes, certificate: x509.Certificate) -> Response:
        try:
            request = ElementTree.fromstring(content)  # noqa: S314 - verified, and without a document type below
            since, until = (
                datetime.fromisoformat(str(request.findtext(f"header/{name}")))
                for name in ("generationTime", "expirationTime")
            )
            int(str(request.findtext("header/uniqueId")))
        except (ElementTree.ParseError, ValueError):
            return soap.fault("ns1:xml.bad", "No se ha podido interpretar el XML contra el SCHEMA")
        if b"<!DOCTYPE" in content or since.tzinfo is None or not since < until <= since + timedelta(hours=24):
            return soap.fault("ns1:xml.expirationTime.invalid", "Tiempo de expiración inválido")
        if not certificate.not_valid_before_utc <= until or not since <= certificate.not_valid_after_utc:
            return soap.fault("ns1:cms.cert.expired", "Certificado expirado")
        service = request.findtext("service") or ""
        if service != "wsfe":
            return soap.fault("ns1:wsn.unavailable", "El servicio al que se desea acceder no existe")
        now = since + (until - since) / 2
        holder = sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        for known in self._store.find(KIND, holder):
            if not known.get("revoked") and datetime.fromisoformat(known["until"]) > now:
                return soap.fault(
                    "ns1:coe.alreadyAuthenticated", "El CEE ya posee un TA valido para el acceso al WSN solicitado"
                )
        ticket = {
            "id": secrets.token_hex(8),
            "cuit": cuit_of(certificate),
            "token": base64.b64encode(f"<sso><id unique_id='{secrets.token_hex(8)}'/></sso>".encode()).decode(),
            "sign": base64.b64encode(secrets.token_bytes(128)).decode(),
            "until": (now + _LIFE).isoformat(),
        }
        self._store.put(KIND, str(ticket["id"]), ticket, keys=[holder])
        return soap.answer(_response(certificate, now, now + _LIFE, ticket["token"], ticket["sign"]))


def _response(certificate: x509.Certificate, since: datetime, until: datetime, token: str, sign: str) -> str:
    whole = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><loginTicketResponse version="1.0"><header>'
        "<source>CN=wsaahomo, O=AFIP, C=AR, SERIALNUMBER=CUIT 33693450239</source>"
        f"<destination>{escape(certificate.subject.rfc4514_string())}</destination>"
        f"<uniqueId>{secrets.randbelow(2**31)}</uniqueId>"
        f"<generationTime>{since.isoformat()}</generationTime><expirationTime>{until.isoformat()}</expirationTime>"
        f"</header><credentials><token>{escape(token)}</token><sign>{escape(sign)}</sign></credentials>"
        "</loginTicketResponse>"
    )
    return (
        '<loginCmsResponse xmlns="http://wsaa.view.sua.dvadac.desein.afip.gov">'
        f"<loginCmsReturn>{escape(whole)}</loginCmsReturn></loginCmsResponse>"
    )
