"""A signed request to cancel: its XMLDSig, as libxmlsec checks it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import xmlsec
from cryptography import x509
from lxml import etree

from twins.authorities.mx.keys import Authority
from twins.authorities.mx.rules import Refusal

_NS = "{http://cancelacfd.sat.gob.mx}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_MOTIVES = ("01", "02", "03", "04")


def asked(content: bytes, authority: Authority) -> list[tuple[str, str]]:
    """RFC and UUID of each. Raises Refusal."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        raise Refusal("301", "XML mal formado") from None
    if root.tag != f"{_NS}Cancelacion" or not root.get("Fecha"):
        raise Refusal("301", "No es una cancelación")
    rfc = root.get("RfcEmisor") or ""
    certificate = _signed(root)
    if not authority.certified(certificate):
        raise Refusal("308", "Certificado no expedido por el SAT")
    identifier: Any = certificate.subject.get_attributes_for_oid(x509.ObjectIdentifier("2.5.4.45"))[0].value
    if str(identifier).split("/")[0].strip() != rfc:
        raise Refusal("203", "Folio no corresponde a emisor")
    found = []
    for folio in root.iterfind(f"{_NS}Folios/{_NS}Folio"):
        motive, substitution = folio.get("Motivo"), folio.get("FolioSustitucion")
        if motive not in _MOTIVES or (motive == "01") != bool(substitution):
            raise Refusal("CASD", "Motivo o folio de sustitución inválido")
        found.append((rfc, (folio.get("UUID") or "").upper()))
    if not found:
        raise Refusal("301", "No dice qué cancelar")
    return found


def _signed(root: etree._Element) -> x509.Certificate:
    """By whose certificate the whole of it is signed."""
    signature = root.find(f"{_DS}Signature")
    references = [item.get("URI") for item in root.iter(f"{_DS}Reference")]
    if signature is None or references != [""]:
        raise Refusal("302", "Sin firma del documento entero")
    try:
        text = "".join((signature.findtext(f".//{_DS}X509Certificate") or "").split())
        content = base64.b64decode(text, validate=True)
        certificate = x509.load_der_x509_certificate(content)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(content, xmlsec.constants.KeyDataFormatCertDer)
        context.verify(signature)
    except (ValueError, binascii.Error, xmlsec.Error):
        raise Refusal("302", "Firma inválida") from None
    return certificate
