"""What SII's answers mean. Pure.

States of an envelope: REC received, SOK schema good, CRT front page good, FOK signature good, PDR under way, EPR done;
RSC, RFR, RCT refused for schema, signature or front page, RCH refused, RPT seen before. Of a document: DOK there as we
have it; TMC, MMC, ANC and the like the same, with a note that came after it; DNK there, but another; FAU not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from xml.etree.ElementTree import Element

from fiscal.cl.markup import Unreadable, read, value
from fiscal.errors import Message

_REFUSED: Final = frozenset({"RSC", "RFR", "RCT", "RCH", "RPT"})
_DONE: Final = frozenset({"EPR", "RPR", "RLV"})
_NOTED: Final = frozenset({"RPR", "RLV"})
_THERE: Final = frozenset({"DOK", "TMD", "TMC", "MMD", "MMC", "AND", "ANC", "RPR", "RLV"})
_OTHER: Final = frozenset({"DNK"})
_ABSENT: Final = frozenset({"FAU"})
_NO_TOKEN: Final = frozenset({"001", "002", "003", "-3"})
_RECEIVED: Final = "0"
# Of an upload: who sends may not, the company may not, SII is closed. Nothing has happened.
_NOT_NOW: Final = frozenset({"1", "6", "9"})
_NO_SESSION: Final = frozenset({"5"})
# Size, file, schema, signature. What else it may say is no explicit no.
_NO: Final = frozenset({"2", "3", "7", "8"})
_DECLARED: Final = re.compile(r"^<\?xml[^>]*\?>")


class Presence(StrEnum):
    """Whether SII has a document: as we have it, another under its folio, none, or it does not say yet."""

    SAME = "same"
    OTHER = "other"
    ABSENT = "absent"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """decided: all of it. refused: the whole. clean: every document accepted without a remark. rejected, noted: by
    document (type, folio), where the service tells which."""

    decided: bool
    refused: bool = False
    clean: bool = False
    code: str = ""
    text: str = ""
    rejected: Mapping[tuple[str, int], tuple[Message, ...]] | None = None
    noted: Mapping[tuple[str, int], tuple[Message, ...]] | None = None


@dataclass(frozen=True, slots=True)
class DocumentState:
    presence: Presence
    code: str
    text: str = ""
    noted: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """track_id, or why there is none: no_token, later (SII is closed), or refused with code and text."""

    track_id: str = ""
    no_token: bool = False
    later: bool = False
    code: str = ""
    text: str = ""


def soap_result(body: bytes) -> Element:
    """The XML inside the one string that every SOAP operation of SII returns. Raises Unreadable."""
    for found in read(body).iter():
        if str(found.tag).rpartition("}")[2].endswith("Return"):
            # Text by now, whatever encoding it says it is in.
            return read(_DECLARED.sub("", (found.text or "").strip()).encode())
    raise Unreadable


def seed(answer: Element) -> str:
    """Raises Unreadable."""
    return _told(answer, "SEMILLA")


def token(answer: Element) -> str:
    """Empty where SII gives none, for what is wrong with the certificate. Raises Unreadable."""
    return _told(answer, "TOKEN") if value(answer, "ESTADO") in ("00", "0") else ""


def _told(answer: Element, name: str) -> str:
    found = value(answer, name)
    if not found or len(found) > 200 or not found.isascii() or not found.isprintable():
        raise Unreadable
    return found


def boleta_upload(answer: Any) -> Upload:
    """Raises Unreadable."""
    track = _text(answer, "trackid")
    state = _text(answer, "estado")
    if track.isdigit():
        return Upload(track_id=track)
    if not state:
        raise Unreadable
    return Upload(code=state, text=_text(answer, "descripcion"))


def dte_upload(body: bytes) -> Upload:
    """Raises Unreadable."""
    root = read(body)
    status, track = value(root, "STATUS"), value(root, "TRACKID")
    if status == _RECEIVED and track.isdigit():
        return Upload(track_id=track)
    if status not in _NOT_NOW | _NO_SESSION | _NO:
        raise Unreadable
    text = " ".join((found.text or "").strip() for found in root.iter() if str(found.tag).endswith(("ERROR", "GLOSA")))
    return Upload(no_token=status in _NO_SESSION, later=status in _NOT_NOW, code=f"STATUS {status}", text=text)


def boleta_envelope(answer: Any) -> EnvelopeState:
    """Raises Unreadable."""
    code, text = _text(answer, "estado"), _text(answer, "descripcion")
    if not code:
        raise Unreadable
    if code in _REFUSED:
        return EnvelopeState(decided=True, refused=True, code=code, text=text)
    if code not in _DONE:
        return EnvelopeState(decided=False, code=code)
    rejected: dict[tuple[str, int], tuple[Message, ...]] = {}
    noted: dict[tuple[str, int], tuple[Message, ...]] = {}
    for item in _items(answer, "detalle_rep_rech"):
        kind, folio = _text(item, "tipo"), _text(item, "folio")
        if not folio.isdigit():
            raise Unreadable
        where = noted if _text(item, "estado") in _NOTED else rejected
        where[kind, int(folio)] = _said(item)
    return EnvelopeState(True, clean=not rejected and not noted, code=code, rejected=rejected, noted=noted)


def dte_envelope(answer: Element) -> EnvelopeState | None:
    """None where the token is no longer good. Raises Unreadable."""
    code, text = value(answer, "ESTADO"), value(answer, "GLOSA")
    if not code:
        raise Unreadable
    if code in _NO_TOKEN:
        return None
    if code in _REFUSED:
        return EnvelopeState(decided=True, refused=True, code=code, text=text)
    if code not in _DONE:
        return EnvelopeState(decided=False, code=code)
    counted = {name: _sum(answer, name) for name in ("INFORMADOS", "ACEPTADOS")}
    return EnvelopeState(True, clean=counted["INFORMADOS"] == counted["ACEPTADOS"] > 0, code=code, text=text)


def boleta_document(answer: Any) -> DocumentState:
    """Raises Unreadable."""
    return _document(_text(answer, "codigo") or _text(answer, "estado"), _text(answer, "descripcion"))


def dte_document(answer: Element) -> DocumentState | None:
    """None where the token is no longer good. Raises Unreadable."""
    code = value(answer, "ESTADO")
    return None if code in _NO_TOKEN else _document(code, value(answer, "GLOSA_ERR") or value(answer, "GLOSA_ESTADO"))


def _document(code: str, text: str) -> DocumentState:
    if not code:
        raise Unreadable
    for presence, codes in ((Presence.SAME, _THERE), (Presence.OTHER, _OTHER), (Presence.ABSENT, _ABSENT)):
        if code in codes:
            return DocumentState(presence, code, text, code in _NOTED)
    return DocumentState(Presence.PENDING, code, text)


def _said(item: Mapping[str, Any]) -> tuple[Message, ...]:
    errors = tuple(
        Message(_text(error, "codigo") or "RCH", _text(error, "descripcion") + _after(_text(error, "detalle")))
        for error in _items(item, "error")
    )
    return errors or (Message(_text(item, "estado") or "RCH", _text(item, "descripcion")),)


def _after(detail: str) -> str:
    return f": {detail}" if detail else ""


def _items(answer: Any, name: str) -> Sequence[Mapping[str, Any]]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Unreadable
    return found


def _text(answer: Any, name: str) -> str:
    found = answer.get(name) if isinstance(answer, dict) else None
    return str(found).strip()[:500] if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _sum(answer: Element, name: str) -> int:
    texts = [(found.text or "").strip() for found in answer.iter() if str(found.tag).rpartition("}")[2] == name]
    if not all(text.isdigit() for text in texts):
        raise Unreadable
    return sum(int(text) for text in texts)
