"""Sealing a CFDI and a request to cancel with the business's CSD. Pure; for the workshop alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import satcfdi
from lxml import etree
from OpenSSL import crypto
from satcfdi.create.cancela.cancelacion import Cancelacion, Folio
from satcfdi.models import Signer

from fiscal import certificates
from fiscal.document import FiscalDocument
from fiscal.errors import Message, Rejected
from fiscal.mx.document import Issuer, build


def sealed(
    document: FiscalDocument, issuer: Mapping[str, Any], csd: Mapping[str, bytes], series: str, number: int
) -> bytes:
    """The CFDI that the PAC stamps. issuer: fields of `Issuer`. csd: the profile's secrets.

    Raises Rejected for what the schema does not take, BadProfile for an expired CSD."""
    signer = _signer(csd)
    certificate = signer.certificate.to_cryptography()
    certificates.check_current(certificate, document.local_time.date(), "credentials.certificate")
    cfdi = build(document, Issuer(**issuer), series, number)
    cfdi.sign(signer)
    content: bytes = cfdi.xml_bytes()
    _check(content)
    return content


def cancelation(csd: Mapping[str, bytes], uuid: str, motive: str, substitution: str | None, at: datetime) -> bytes:
    """The signed request (XMLDSig over RSA-SHA1, which is what SAT takes). at: local time of the issuer."""
    request = Cancelacion(
        emisor=_signer(csd),
        folios=Folio(uuid=uuid, motivo=motive, folio_sustitucion=substitution),
        fecha=at.replace(tzinfo=None, microsecond=0),
    )
    content: bytes = request.xml_bytes(xml_declaration=True)
    return content


def _signer(csd: Mapping[str, bytes]) -> Signer:
    return _opened(csd["certificate"], csd["key"], csd["keyPassword"])


@lru_cache(maxsize=16)
def _opened(certificate_der: bytes, key_der: bytes, password: bytes) -> Signer:
    """Decrypting a key takes twenty times as long as sealing with it, so the workshop's process remembers a few for the
    minute that it outlives its last job."""
    certificate = certificates.read_certificate(certificate_der, "credentials.certificate")
    key = certificates.read_key(key_der, password, "credentials.key")
    return Signer(crypto.X509.from_cryptography(certificate), key)


def _check(content: bytes) -> None:
    schema = _schema()
    if not schema.validate(etree.fromstring(content)):
        # The schema's words quote the value: they are the issuer's to read, as an authority's are.
        found: Any = schema.error_log
        raise Rejected([Message("xsd", str(error.message)[:300]) for error in found][:10])


@cache
def _schema() -> etree.XMLSchema:
    """Compiled once: that takes a hundred times as long as using it."""
    folder = Path(satcfdi.__file__).parent / "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"
    return etree.XMLSchema(file=str(folder / "4/cfdv40.xsd"))
