"""What PACs and SAT answer in XML, as values. Pure; for the workshop alone."""

from __future__ import annotations

import base64
import binascii

from lxml import etree

from fiscal.errors import Message
from fiscal.mx.answers import Printout, Soap, Standing

_CFDI = "{http://www.sat.gob.mx/cfd/4}"
_TFD = "{http://www.sat.gob.mx/TimbreFiscalDigital}TimbreFiscalDigital"


def stamped_uuid(content: bytes, sent: bytes) -> str | None:
    """The UUID on the stamp of what was sent. None where it is not its stamp."""
    root, ours = _parsed(content), _parsed(sent)
    if root is None or ours is None:
        return None
    stamp = root.find(f"{_CFDI}Complemento/{_TFD}")
    if stamp is None or not ours.get("Sello") or not root.get("Sello") == stamp.get("SelloCFD") == ours.get("Sello"):
        return None
    return stamp.get("UUID") or None


def printout(sealed: bytes) -> Printout:
    root = etree.fromstring(sealed, _parser())
    issuer, receiver = root.find(f"{_CFDI}Emisor"), root.find(f"{_CFDI}Receptor")
    assert issuer is not None
    assert receiver is not None
    return Printout(issuer.get("Rfc", ""), receiver.get("Rfc", ""), root.get("Total", ""), root.get("Sello", ""))


def soap(body: bytes) -> Soap | None:
    """None for what is no answer."""
    root = _parsed(body)
    if root is None:
        return None
    messages = [
        Message(_text(item, "CodigoError") or "incidencia", _text(item, "MensajeIncidencia"))
        for item in root.iter("{*}Incidencia")
    ]
    if fault := next(root.iter("{*}faultstring"), None):
        messages.append(Message("soap", fault.text or ""))
    receipt = _text(root, "Acuse")
    return Soap(
        xml=_document(_text(root, "xml")),
        messages=tuple(dict.fromkeys(messages)),
        status=_text(root, "EstatusUUID") or _text(root, "CodEstatus"),
        receipt=receipt.encode() if receipt else None,
    )


def standing(body: bytes) -> Standing | None:
    root = _parsed(body)
    if root is None or (state := _text(root, "Estado")) == "":
        return None
    return Standing(state, _text(root, "EstatusCancelacion"))


def _document(text: str) -> bytes | None:
    """As text, or in base64."""
    if not text:
        return None
    if text.lstrip().startswith("<"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _text(root: etree._Element, name: str) -> str:
    found = next(root.iter(f"{{*}}{name}"), None)
    return (found.text or "").strip() if found is not None else ""


def _parsed(content: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError):
        return None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
