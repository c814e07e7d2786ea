"""Reading what is sent to the DIAN: by libxml2 for the tree, by libxmlsec for signatures."""

from __future__ import annotations

from base64 import b64decode
from typing import Final

import xmlsec
from cryptography import x509
from lxml import etree
from xmlsec import constants

Element = etree._Element

NS: Final = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
    "sts": "dian:gov:co:facturaelectronica:Structures-2-1",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "w": "http://wcf.dian.colombia",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
}


class Unreadable(Exception):
    """It is no XML, or not the XML that it should be."""


def parsed(content: bytes) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise Unreadable from None


def first(root: Element, path: str) -> Element:
    found = root.find(path, NS)
    if found is None:
        raise Unreadable(path)
    return found


def text(root: Element, path: str) -> str:
    found = root.find(path, NS)
    return (found.text or "") if found is not None else ""


def certificate(encoded: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(b64decode("".join(encoded.split())))
    except ValueError:
        raise Unreadable from None


def verifies(root: Element, signature: Element, der: bytes) -> bool:
    """Whether the signature and every digest in it are right, with this certificate's key."""
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(der, constants.KeyDataFormatCertDer)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True
