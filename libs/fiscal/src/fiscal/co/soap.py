"""The DIAN's messages: SOAP 1.2 with WS-Security, built, signed and read. Pure; runs in the workshop.

A message carries the certificate as BinarySecurityToken, and a signature over its Timestamp and its wsa:To (exclusive
C14N with the prefixes that the DIAN's own clients include). Answers come from outside: no entities, no network.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from fiscal.co.order import Answer, Call
from fiscal.co.signing import opened

Element = etree._Element

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WCF: Final = "http://wcf.dian.colombia"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_EC: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE: Final = f"{_OASIS}wssecurity-secext-1.0.xsd"
_WSU: Final = f"{_OASIS}wssecurity-utility-1.0.xsd"
_X509: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"
_BASE64: Final = f"{_OASIS}soap-message-security-1.0#Base64Binary"
_RSA: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_ID: Final = f"{{{_WSU}}}Id"
_SIGNED_INFO_PREFIXES: Final = ["wsa", "soap", "wcf"]
# An archive's members carry a time: always the same, so that the same document is the same archive.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def action(operation: str) -> str:
    return f"{WCF}/IWcfDianCustomerServices/{operation}"


def archive(payload: bytes, xml_name: str) -> str:
    """The document in a zip file, in base64."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(xml_name, _EPOCH), payload, zipfile.ZIP_DEFLATED)
    return b64encode(buffer.getvalue()).decode()


def sending(call: Call, payload: bytes, xml_name: str) -> bytes:
    """The envelope of a call that carries a document as contentFile."""
    content = ("contentFile", archive(payload, xml_name))
    fields = (*call.fields[:1], content, *call.fields[1:])
    return envelope(Call(call.operation, call.to, fields, call.id, call.created, call.seconds, call.signer))


def envelope(call: Call) -> bytes:
    """Raises BadProfile for a certificate that cannot be read."""
    certificate, key = opened(call.signer)
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "wcf": WCF})
    header = etree.SubElement(root, f"{{{SOAP}}}Header", nsmap={"wsa": WSA})
    security = etree.SubElement(header, f"{{{_WSSE}}}Security", nsmap={"wsse": _WSSE, "wsu": _WSU})
    timestamp = etree.SubElement(security, f"{{{_WSU}}}Timestamp", {_ID: f"TS-{call.id}"})
    etree.SubElement(timestamp, f"{{{_WSU}}}Created").text = _moment(call.created)
    etree.SubElement(timestamp, f"{{{_WSU}}}Expires").text = _moment(call.created + timedelta(seconds=call.seconds))
    token = etree.SubElement(
        security,
        f"{{{_WSSE}}}BinarySecurityToken",
        {_ID: f"X509-{call.id}", "EncodingType": _BASE64, "ValueType": _X509},
    )
    token.text = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    signature = etree.SubElement(security, f"{{{_DS}}}Signature", {"Id": f"SIG-{call.id}"}, nsmap={"ds": _DS})
    etree.SubElement(header, f"{{{WSA}}}Action").text = action(call.operation)
    to = etree.SubElement(header, f"{{{WSA}}}To", {_ID: f"TO-{call.id}"}, nsmap={"wsu": _WSU})
    to.text = call.to
    body = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{WCF}}}{call.operation}")
    for name, value in call.fields:
        etree.SubElement(body, f"{{{WCF}}}{name}").text = value

    info = etree.SubElement(signature, f"{{{_DS}}}SignedInfo")
    _inclusive(etree.SubElement(info, f"{{{_DS}}}CanonicalizationMethod", Algorithm=_EC), _SIGNED_INFO_PREFIXES)
    etree.SubElement(info, f"{{{_DS}}}SignatureMethod", Algorithm=_RSA)
    _reference(info, timestamp, ["wsse", "soap", "wcf"])
    _reference(info, to, ["soap", "wcf"])
    signed = key.sign(_canonical(info, _SIGNED_INFO_PREFIXES), padding.PKCS1v15(), hashes.SHA256())
    etree.SubElement(signature, f"{{{_DS}}}SignatureValue").text = b64encode(signed).decode()
    key_info = etree.SubElement(signature, f"{{{_DS}}}KeyInfo", {"Id": f"KI-{call.id}"})
    named = etree.SubElement(key_info, f"{{{_WSSE}}}SecurityTokenReference", {_ID: f"STR-{call.id}"})
    etree.SubElement(named, f"{{{_WSSE}}}Reference", URI=f"#X509-{call.id}", ValueType=_X509)
    return etree.tostring(root)


def _reference(info: Element, signed: Element, prefixes: list[str]) -> None:
    reference = etree.SubElement(info, f"{{{_DS}}}Reference", URI=f"#{signed.get(_ID)}")
    transforms = etree.SubElement(reference, f"{{{_DS}}}Transforms")
    _inclusive(etree.SubElement(transforms, f"{{{_DS}}}Transform", Algorithm=_EC), prefixes)
    etree.SubElement(reference, f"{{{_DS}}}DigestMethod", Algorithm=_SHA)
    digest = sha256(_canonical(signed, prefixes)).digest()
    etree.SubElement(reference, f"{{{_DS}}}DigestValue").text = b64encode(digest).decode()


def _inclusive(parent: Element, prefixes: list[str]) -> None:
    etree.SubElement(parent, f"{{{_EC}}}InclusiveNamespaces", PrefixList=" ".join(prefixes), nsmap={"ec": _EC})


def _canonical(element: Element, prefixes: list[str]) -> bytes:
    # Written and read again, since libxml2 finds the prefixes to include only where they are declared on the element.
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# Reading


def read(body: bytes) -> Answer | None:
    """What was said of a document; None for what is no answer of the DIAN's."""
    root = _parsed(body)
    if root is None:
        return None
    fault = root.find(f".//{{{SOAP}}}Fault")
    if fault is not None:
        values = [value.text or "" for value in fault.iter(f"{{{SOAP}}}Value")]
        return Answer(fault=(values[-1] if values else "").rpartition(":")[2] or "fault")
    if not any(True for _ in root.iter("{*}StatusCode", "{*}ZipKey")):
        return None
    receipt = _text(root, "XmlBase64Bytes")
    rules = [item.text or "" for found in root.iter("{*}ErrorMessage") for item in found.iter("{*}string")]
    # Of a batch that was refused before it was looked into.
    rules += [item.text or "" for item in root.iter("{*}ProcessedMessage", "{*}processedMessage")]
    return Answer(
        valid=_text(root, "IsValid") == "true",
        code=_text(root, "StatusCode").strip(),
        rules=tuple(rule.strip() for rule in rules if rule.strip()),
        key=_text(root, "XmlDocumentKey").strip(),
        receipt=_decoded(receipt),
        track_id=_text(root, "ZipKey").strip(),
    )


def _parsed(body: bytes) -> Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, dtd_validation=False)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None


def _text(root: Element, name: str) -> str:
    found = next(root.iter(f"{{*}}{name}"), None)
    return (found.text or "") if found is not None else ""


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True) or None
    except ValueError:
        return None
