"""What a submission must consist of, and what its files and numbers look like. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kernel import Country
from stdnum.cl import rut
from stdnum.exceptions import ValidationError

from auth.kyc.status import DocumentName, DocumentType

MAX_DOCUMENT: Final = 5 << 20
"""Bytes of one file."""

IDENTITY_DOCUMENTS: Final[Mapping[Country, frozenset[DocumentType]]] = {
    Country.MX: frozenset({DocumentType.INE, DocumentType.RESIDENCE_PERMIT, DocumentType.PASSPORT}),
    Country.CO: frozenset({DocumentType.CC, DocumentType.CE, DocumentType.PASSPORT}),
    Country.AR: frozenset({DocumentType.DNI, DocumentType.PASSPORT}),
    Country.CL: frozenset({DocumentType.RUT, DocumentType.PASSPORT}),
}

# After upper-casing, and without blanks, dots and dashes.
_NUMBERS: Final[Mapping[DocumentType, re.Pattern[str]]] = {
    # The elector's key, or the number on the back: 9 digits (CIC) up to 13 (OCR).
    DocumentType.INE: re.compile(r"[A-Z]{6}[0-9]{8}[HM][0-9]{3}|[0-9]{9,13}"),
    DocumentType.CC: re.compile(r"[0-9]{3,10}"),
    DocumentType.CE: re.compile(r"[0-9]{3,10}"),
    DocumentType.DNI: re.compile(r"[0-9]{7,8}"),
    DocumentType.RUT: re.compile(r"[0-9]{7,8}[0-9K]"),
    DocumentType.RESIDENCE_PERMIT: re.compile(r"[A-Z0-9]{6,15}"),
    DocumentType.PASSPORT: re.compile(r"[A-Z0-9]{6,12}"),
}
_SEPARATORS: Final = re.compile(r"[ .\-]")

# What the client calls the file, and its name's ending, are believed in nothing.
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
EXTENSIONS: Final[Mapping[str, str]] = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file as the client sent it, its type read from its first bytes."""

    name: DocumentName
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Retention:
    """How long documents are kept after their submission was closed: as approved, or otherwise."""

    approved: timedelta
    others: timedelta


def content_type_of(content: bytes) -> str | None:
    """image/jpeg, image/png or application/pdf by the first bytes; None for anything else."""
    return next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)


def normalize_number(value: str, kind: DocumentType) -> str:
    """The one form in which a document's number is kept: upper case, without separators. Raises ValueError."""
    compact = _SEPARATORS.sub("", value.upper())
    if not _NUMBERS[kind].fullmatch(compact):
        raise ValueError(f"is not the number of a document of type {kind.value}")
    if kind is DocumentType.RUT:
        try:
            rut.validate(compact)
        except ValidationError:
            raise ValueError("is not a RUT: its check digit is wrong") from None
    return compact


def required_documents(level: int, kind: DocumentType | None) -> frozenset[DocumentName]:
    """Both sides of a card, the one page of a passport, the certificate of a tax authority."""
    if level == 2:
        return frozenset({DocumentName.TAX})
    if kind is DocumentType.PASSPORT:
        return frozenset({DocumentName.FRONT})
    return frozenset({DocumentName.FRONT, DocumentName.BACK})


def allowed_documents(level: int) -> frozenset[DocumentName]:
    return frozenset({DocumentName.TAX}) if level == 2 else frozenset({DocumentName.FRONT, DocumentName.BACK})
