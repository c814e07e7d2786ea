"""SOAP 1.1 as both services speak it: requests read with the standard library, answers written as text."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from fastapi.responses import Response

FEV1 = "{http://ar.gov.afip.dif.FEV1/}"
_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


class Malformed(Exception):
    pass


def operation(body: bytes) -> Element:
    """The element of the call. Raises Malformed."""
    if b"<!DOCTYPE" in body:
        raise Malformed("a document type is not allowed")
    try:
        # Without a document type there is nothing to expand.
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise Malformed(str(error)) from error
    call = root.find(f"{_ENVELOPE}Body/*")
    if root.tag != f"{_ENVELOPE}Envelope" or call is None:
        raise Malformed("no envelope with a body")
    return call


def text(parent: Element, tag: str) -> str:
    """Of a direct child, without regard to namespaces; empty where there is none."""
    for child in parent:
        if child.tag.rpartition("}")[2] == tag:
            return (child.text or "").strip()
    return ""


def answer(inner: str, status: int = 200) -> Response:
    content = (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body>{inner}</soap:Body></soap:Envelope>"
    )
    return Response(content.encode(), status, media_type="text/xml; charset=utf-8")


def fault(code: str, message: str) -> Response:
    return answer(
        f"<soap:Fault><faultcode>{escape(code)}</faultcode><faultstring>{escape(message)}</faultstring></soap:Fault>",
        500,
    )


def result(name: str, inner: str) -> Response:
    """Of an operation of WSFEv1."""
    return answer(
        f'<{name}Response xmlns="http://ar.gov.afip.dif.FEV1/"><{name}Result>{inner}</{name}Result></{name}Response>'
    )


def messages(outer: str, inner: str, found: list[tuple[int, str]]) -> str:
    items = "".join(f"<{inner}><Code>{code}</Code><Msg>{escape(words)}</Msg></{inner}>" for code, words in found)
    return f"<{outer}>{items}</{outer}>" if found else ""
