"""Colombian identification: the NIT with its check digit, and how a buyer's is told from an identity card. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stdnum.co import nit

from fiscal.co import codes

_JOINTS: Final = re.compile(r"[\s.\-]")
_OTHER: Final = re.compile(r"[A-Za-z0-9]{3,20}")


@dataclass(frozen=True, slots=True)
class Identity:
    """kind: the DIAN's code. number: without check digit. digit: of a NIT, else empty."""

    kind: str
    number: str
    digit: str = ""

    @property
    def shown(self) -> str:
        return f"{self.number}-{self.digit}" if self.digit else self.number

    @property
    def is_company(self) -> bool:
        """By the run of numbers that companies are given."""
        return self.kind == codes.NIT and len(self.number) == 9 and self.number[0] in "89"


FINAL_CONSUMER: Final = Identity(codes.IDENTITY_CARD, codes.FINAL_CONSUMER)


def read_nit(text: str) -> Identity | None:
    """With its check digit, which must be right; None for anything else."""
    compact = _JOINTS.sub("", text)
    if not (compact.isascii() and compact.isdigit() and nit.is_valid(compact)):
        return None
    return Identity(codes.NIT, compact[:-1], compact[-1])


def read_identity(text: str, kind: str) -> Identity | None:
    """kind: a word of `codes.IDENTIFICATIONS`, or empty: then what has the shape of a company's NIT is one, and other
    numbers are identity cards. None for what is neither."""
    word = kind.strip().upper()
    compact = _JOINTS.sub("", text)
    if word and word not in codes.IDENTIFICATIONS:
        return None
    if word == "NIT":
        return read_nit(text)
    if not word:
        found = read_nit(text)
        if found is not None and (found.is_company or "-" in text):
            return found
        word = "CC"
    if compact == codes.FINAL_CONSUMER or not _OTHER.fullmatch(compact):
        return None
    if word in ("CC", "TI") and not compact.isdigit():
        return None
    return Identity(codes.IDENTIFICATIONS[word], compact)
