"""A signed request to cancel: its XMLDSig, checked by our own reading of it."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha1
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
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
    """By whose certificate the whole of it is signed: RSA-SHA1, enveloped, inclusive C14N."""
    signature = root.find(f"{_DS}Signature")
    info = signature.find(f"{_DS}SignedInfo") if signature is not None else None
    if signature is None or info is None:
        raise Refusal("302", "Sin firma")
    signed_info = etree.tostring(info, method="c14n")
    try:
        certificate = x509.load_der_x509_certificate(_bytes(signature, f".//{_DS}X509Certificate"))
        value, digest = _bytes(signature, f"{_DS}SignatureValue"), _bytes(info, f".//{_DS}DigestValue")
    except (ValueError, binascii.Error):
        raise Refusal("302", "Firma inválida") from None
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    try:
        public.verify(value, signed_info, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - what SAT wants
    except InvalidSignature:
        raise Refusal("302", "Firma inválida") from None
    parent = signature.getparent()
    assert parent is not None
    parent.remove(signature)
    if sha1(etree.tostring(root, method="c14n")).digest() != digest:  # noqa: S324 - what SAT wants
        raise Refusal("302", "Firma inválida")
    return certificate


def _bytes(element: etree._Element, path: str) -> bytes:
    return base64.b64decode("".join((element.findtext(path) or "").split()), validate=True)
