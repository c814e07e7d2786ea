"""Words as SII takes them: ISO-8859-1, one line, of bounded length."""

from __future__ import annotations

import unicodedata
from typing import Final
from xml.sax.saxutils import escape

_ALIKE: Final = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "€": "EUR", "™": "TM", "•": "-", "œ": "oe"}
)
# SII's manual has quotes written as entities, and its readers differ in whether they see them again before they check a
# seal. What is sealed has none.
_ENTITIES: Final = 12
_SEALED: Final = str.maketrans({"'": "´", '"': "¨"})


def plain(value: str, most: int) -> str:
    """At most so many characters; what ISO-8859-1 lacks is replaced by what looks like it, else by a question mark."""
    kept = []
    for character in unicodedata.normalize("NFC", value.translate(_ALIKE)):
        if character.isspace():
            kept.append(" ")
        elif unicodedata.category(character)[0] == "C":
            continue
        elif ord(character) < 256:
            kept.append(character)
        else:
            base = unicodedata.normalize("NFKD", character).encode("latin-1", "ignore").decode("latin-1")
            kept.append(base or "?")
    return " ".join("".join(kept).split())[:most].strip()


def element(name: str, value: object, most: int = 1000) -> str:
    """Empty for what has no value."""
    shown = plain(str(value), most) if value is not None else ""
    return f"<{name}>{escape(shown)}</{name}>" if shown else ""


def sealed(name: str, value: str, most: int) -> str:
    """An element inside the TED: never empty, and short enough as it is written, for a PDF417 holds 928 codewords."""
    shown = plain(value, most).translate(_SEALED)
    while len(escape(shown)) > most + _ENTITIES:
        shown = shown[:-1]
    return f"<{name}>{escape(shown) or '-'}</{name}>"
