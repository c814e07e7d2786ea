"""The request for a ticket of WSAA, signed by the business: CMS with the content inside, SHA-256. Pure; runs in the
workshop."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from fiscal.certificates import read_certificate, read_key


def ticket_request(
    service: str, now: datetime, minutes: int, certificate: bytes, key: bytes, password: bytes | None
) -> str:
    """The `in0` of loginCms: base64. Raises BadProfile."""
    return sign(
        login_ticket_request(service, now, minutes),
        read_certificate(certificate, "credentials.certificate"),
        read_key(key, password, "credentials.privateKey"),
    )


def login_ticket_request(service: str, now: datetime, minutes: int) -> bytes:
    """Good from `minutes` ago, for clocks differ, and until as many from now."""
    span = timedelta(minutes=minutes)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><loginTicketRequest version="1.0"><header>'
        f"<uniqueId>{int(now.timestamp())}</uniqueId>"
        f"<generationTime>{_moment(now - span)}</generationTime><expirationTime>{_moment(now + span)}</expirationTime>"
        f"</header><service>{escape(service)}</service></loginTicketRequest>"
    ).encode()


def sign(content: bytes, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> str:
    signed = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(content)
        .add_signer(certificate, key, hashes.SHA256())
        .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    return base64.b64encode(signed).decode()


def _moment(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()
