"""How many characters a text message holds: 160 of GSM 03.38's alphabet, or 70 as soon as one lies outside it (UCS-2).

A longer text travels in parts, each paid for. Of the accented letters of Spanish and Portuguese the alphabet has only
some: é, ñ, ü and à are in it, á, í, ó, ú, ã and ç are not.
"""

from __future__ import annotations

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each takes two places.
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
_SEPTETS: Final = 160
_UCS2_UNITS: Final = 70


def fits_one_segment(text: str) -> bool:
    characters = set(text)
    if characters <= _BASIC | _EXTENDED:
        return len(text) + sum(character in _EXTENDED for character in text) <= _SEPTETS
    return len(text.encode("utf-16-be")) // 2 <= _UCS2_UNITS
