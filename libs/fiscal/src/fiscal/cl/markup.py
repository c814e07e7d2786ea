"""Small XML read with the standard library: CAF files and SII's answers. No document type, so no entities."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

_MOST_BYTES: Final = 1_048_576


class Unreadable(ValueError):
    """No XML that we take."""


def read(content: bytes) -> Element:
    if len(content) > _MOST_BYTES or b"<!" in content.replace(b"<!--", b""):
        raise Unreadable
    try:
        # What could hurt is a document type, and there is none.
        return fromstring(content)  # noqa: S314
    except (ParseError, ValueError, LookupError):
        raise Unreadable from None


def value(root: Element, name: str) -> str:
    """The text of the first element of that name, whatever its namespace."""
    for found in root.iter():
        if found.tag == name or str(found.tag).endswith(f"}}{name}"):
            return (found.text or "").strip()
    return ""
