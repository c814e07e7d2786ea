"""Signatures, seals and sums of what is sent, by libxmlsec and by hand. No line of this is shared with who signs."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Final

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from twins.authorities.sii.keys import Keys
from twins.authorities.sii.structure import BOLETA, DS, DTE, NS, problem

_BOLETAS: Final = ("39", "41")
_RATE: Final = Decimal("0.19")
_SHA1: Final = f"{DS}sha1"
_DOCUMENT = re.compile(rb"<DTE[\s>].*?</DTE>", re.DOTALL)
_DECLARATION: Final = b'<?xml version="1.0" encoding="ISO-8859-1"?>'
_DATA = re.compile(rb"<DD>.*?</DD>", re.DOTALL)
_GRANT = re.compile(rb"<DA>.*?</DA>", re.DOTALL)


class Refused(Exception):
    """The whole envelope. code: RSC, RFR or RCT."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Document:
    """problems: code and words; none where it is good. remarks: accepted all the same."""

    issuer: str
    document_type: str
    folio: str
    receiver: str
    issued_on: str
    total: int
    digest: str
    problems: tuple[tuple[str, str], ...]
    remarks: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return f"{self.issuer}/{self.document_type}/{self.folio}"


def parse(content: bytes) -> etree._Element:
    """Raises Refused."""
    if b"<!DOCTYPE" in content:
        raise Refused("RSC", "DTD")
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        raise Refused("RSC", "XML mal formado") from None


def envelope(content: bytes, keys: Keys, *, boletas: bool) -> list[Document]:
    """Raises Refused."""
    root = parse(content)
    name, schema = ("EnvioBOLETA", "EnvioBOLETA_v11.xsd") if boletas else ("EnvioDTE", "EnvioDTE_v10.xsd")
    if root.tag != f"{{{NS}}}{name}":
        raise Refused("RSC", "SCH-00001 Invalid Schema Name")
    location = root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "")
    if location.split() != [NS, schema]:
        raise Refused("RSC", "SCH-00001 Invalid Schema Name")
    wrong = problem(root, BOLETA if boletas else DTE)
    if wrong:
        raise Refused("RSC", wrong)
    sender = _signer(root, f"#{root[0].get('ID')}", keys)
    front = root.find(f"{{{NS}}}SetDTE/{{{NS}}}Caratula")
    assert front is not None
    if sender != _value(front, "RutEnvia"):
        raise Refused("RFR", "El certificado no es de quien envía")
    if _value(front, "RutReceptor") != "60803000-K":
        raise Refused("RCT", "RutReceptor")
    found = root.findall(f"{{{NS}}}SetDTE/{{{NS}}}DTE")
    told = {_value(part, "TpoDTE"): int(_value(part, "NroDTE")) for part in front.iterfind(f"{{{NS}}}SubTotDTE")}
    counted: dict[str, int] = {}
    for document in found:
        kind = _value(document, "TipoDTE")
        counted[kind] = counted.get(kind, 0) + 1
        if (kind in _BOLETAS) is not boletas:
            raise Refused("RSC", "TipoDTE")
    if told != counted:
        raise Refused("RCT", "SubTotDTE")
    raw = _DOCUMENT.findall(content)
    return [_document(part, text, _value(front, "RutEmisor"), keys) for part, text in zip(found, raw, strict=True)]


def _document(element: etree._Element, raw: bytes, issuer: str, keys: Keys) -> Document:
    problems: list[tuple[str, str]] = []
    document = element[0]
    try:
        _signer(element, f"#{document.get('ID')}", keys)
    except Refused as error:
        problems.append(("DTE-3-505", f"Firma DTE incorrecta: {error}"))
    # Signed alone, as whoever buys gets it, it must hold as well.
    try:
        _signer(parse(_DECLARATION + raw), f"#{document.get('ID')}", keys)
    except Refused as error:
        problems.append(("DTE-3-506", f"Firma DTE incorrecta fuera del envío: {error}"))
    if _value(document, "RUTEmisor") != issuer:
        problems.append(("CRT-3-19", "El RUT emisor no es el de la carátula"))
    problems += _seal(document, raw, keys)
    sums, remarks = _sums(document)
    return Document(
        issuer=_value(document, "RUTEmisor"),
        document_type=_value(document, "TipoDTE"),
        folio=_value(document, "Folio"),
        receiver=_value(document, "RUTRecep"),
        issued_on=_value(document, "FchEmis"),
        total=int(_value(document, "MntTotal")),
        digest=sha256(raw).hexdigest(),
        problems=tuple(problems + sums),
        remarks=tuple(remarks),
    )


def _seal(document: etree._Element, raw: bytes, keys: Keys) -> list[tuple[str, str]]:
    """The TED says what the document says, was made with the key of its CAF, and the CAF is one of ours."""
    data, grant = _DATA.search(raw), _GRANT.search(raw)
    ted = document.find(f"{{{NS}}}TED/{{{NS}}}DD")
    if data is None or grant is None or ted is None:
        return [("TED-1-510", "Sin timbre")]
    caf = ted.find(f"{{{NS}}}CAF/{{{NS}}}DA")
    assert caf is not None
    public = rsa.RSAPublicNumbers(_integer(_value(caf, "E")), _integer(_value(caf, "M"))).public_key()
    wrong = []
    if not _signed(public, _value(document, "FRMT"), data.group()):
        wrong.append(("TED-2-510", "Firma del timbre incorrecta"))
    if not _signed(keys.folios.public_key(), _value(ted, "FRMA"), grant.group()):
        wrong.append(("TED-2-511", "CAF no emitido por SII"))
    folio = int(_value(document, "Folio"))
    same = {"RE": "RUTEmisor", "TD": "TipoDTE", "F": "Folio", "FE": "FchEmis", "RR": "RUTRecep", "MNT": "MntTotal"}
    if any(_value(ted, sealed) != _value(document, told) for sealed, told in same.items()):
        wrong.append(("TED-3-510", "El timbre no dice lo que el documento"))
    if (_value(caf, "RE"), _value(caf, "TD")) != (_value(document, "RUTEmisor"), _value(document, "TipoDTE")):
        wrong.append(("CAF-3-517", "CAF de otro emisor o tipo"))
    if not int(_value(caf, "D")) <= folio <= int(_value(caf, "H")):
        wrong.append(("CAF-3-516", "Folio fuera del rango autorizado"))
    return wrong


def _sums(document: etree._Element) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    def amount(name: str) -> int:
        return int(_value(document, name) or 0)

    net, exempt, tax, total = (amount(name) for name in ("MntNeto", "MntExe", "IVA", "MntTotal"))
    lines = document.findall(f"{{{NS}}}Detalle")
    charged = sum(int(_value(line, "MontoItem")) for line in lines)
    free = sum(int(_value(line, "MontoItem")) for line in lines if _value(line, "IndExe") == "1")
    gross = _value(document, "MntBruto") == "1" or _value(document, "TipoDTE") in _BOLETAS
    wrong, remarks = [], []
    if net + exempt + tax != total:
        wrong.append(("HED-2-100", "MntTotal no es la suma de neto, exento e IVA"))
    if charged != (total if gross else net + exempt) or free != exempt:
        wrong.append(("DET-2-100", "Las líneas no suman el total"))
    off = abs(tax - int((net * _RATE).quantize(Decimal(1), ROUND_HALF_UP)))
    if off > 1:
        wrong.append(("HED-2-202", "IVA mal calculado"))
    elif off:
        remarks.append(("HED-1-202", "IVA difiere en un peso"))
    return wrong, remarks


def seed_signer(content: bytes, keys: Keys) -> tuple[str, str]:
    """The seed that was signed, and by whom. Raises Refused."""
    root = parse(content)
    return _value(root, "Semilla"), _signer(root, "", keys)


def _signer(parent: etree._Element, reference: str, keys: Keys) -> str:
    """The RUT in the certificate that signed what `reference` names. Raises Refused."""
    signature = parent.find(f"{{{DS}}}Signature")
    if signature is None:
        raise Refused("RFR", "sin firma")
    target = signature.find(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
    assert target is not None
    if target.get("URI") != reference or _attribute(signature, "DigestMethod") != _SHA1:
        raise Refused("RFR", "referencia")
    try:
        held = base64.b64decode(_value(signature, "X509Certificate"))
        certificate = x509.load_der_x509_certificate(held)
    except (ValueError, binascii.Error):
        raise Refused("RFR", "certificado ilegible") from None
    if not keys.issued(certificate):
        raise Refused("RFR", "certificado no autorizado")
    xmlsec.tree.add_ids(parent, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(signature)
    except xmlsec.Error:
        raise Refused("RFR", "firma no válida") from None
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or _integer(_value(signature, "Modulus")) != public.public_numbers().n:
        raise Refused("RFR", "KeyValue de otra llave")
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)[0].value)


def _signed(key: rsa.RSAPublicKey, mark: str, content: bytes) -> bool:
    try:
        key.verify(base64.b64decode(mark), content, PKCS1v15(), SHA1())  # noqa: S303
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _value(parent: etree._Element, name: str) -> str:
    found = next(parent.iter(f"{{{NS}}}{name}", f"{{{DS}}}{name}", name), None)
    return (found.text or "").strip() if found is not None else ""


def _attribute(parent: etree._Element, name: str) -> str:
    found = next(parent.iter(f"{{{DS}}}{name}"), None)
    return found.get("Algorithm", "") if found is not None else ""


def _integer(text: str) -> int:
    return int.from_bytes(base64.b64decode(text))
