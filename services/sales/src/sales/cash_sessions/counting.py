"""What lies in a drawer, counted by face value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kernel import Currency, InvalidInput, Money, MoneyError
from kernel.money import total

# Notes and coins in circulation. One that is missing here is counted by giving `closingCash` instead.
FACES: Final[Mapping[Currency, tuple[str, ...]]] = MappingProxyType(
    {
        Currency.MXN: (
            *("1000", "500", "200", "100", "50", "20", "10", "5", "2", "1"),
            *("0.50", "0.20", "0.10", "0.05"),
        ),
        Currency.COP: ("100000", "50000", "20000", "10000", "5000", "2000", "1000", "500", "200", "100", "50"),
        Currency.ARS: (
            *("20000", "10000", "2000", "1000", "500", "200", "100", "50", "20", "10", "5", "2", "1"),
            *("0.50", "0.25", "0.10", "0.05"),
        ),
        Currency.CLP: ("20000", "10000", "5000", "2000", "1000", "500", "100", "50", "10"),
    }
)
# No drawer holds more: what is beyond is a slip of the finger.
MAX_MINOR: Final = 10**13


def counted(pieces: Mapping[str, int], currency: Currency, field: str) -> tuple[Money, dict[str, int]]:
    """The sum, and the pieces by face value as FACES spells it, largest first and without zeros; "0.5" is "0.50".

    Raises InvalidInput naming `field` for a face value that the currency does not have, or one given twice.
    """
    faces = {Money.of(face, currency).minor: face for face in FACES[currency]}
    by_face: dict[str, int] = {}
    for face, number in pieces.items():
        known = faces.get(_minor(face, currency))
        if known is None:
            listed = ", ".join(FACES[currency])
            raise InvalidInput.field(f"{field}.{face[:20]}", f"is no note or coin of {currency}; there are {listed}")
        if known in by_face:
            raise InvalidInput.field(f"{field}.{face[:20]}", "is counted twice")
        by_face[known] = number
    ordered = {face: by_face[face] for face in FACES[currency] if by_face.get(face)}
    try:
        found = total((Money.of(face, currency) * number for face, number in ordered.items()), currency)
    except MoneyError as error:
        raise InvalidInput.field(field, str(error)) from None
    return _bounded(found, field), ordered


def declared(amount: Money, field: str) -> Money:
    """A sum that was given as one. Raises InvalidInput."""
    if amount.minor < 0:
        raise InvalidInput.field(field, "cannot be negative")
    return _bounded(amount, field)


def _bounded(amount: Money, field: str) -> Money:
    if amount.minor > MAX_MINOR:
        raise InvalidInput.field(field, "is more than a drawer can hold")
    return amount


def _minor(face: str, currency: Currency) -> int:
    try:
        return Money.of(face, currency).minor
    except MoneyError:
        return -1
