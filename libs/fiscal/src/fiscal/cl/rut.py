"""RUT: the tax id of persons and companies, as SII writes it: no points, a dash before the check digit, a capital K."""

from __future__ import annotations

from typing import Final

from stdnum.cl import rut as _rut
from stdnum.exceptions import ValidationError

# Whom a boleta names where nobody is named, and SII itself.
ANONYMOUS: Final = "66666666-6"
SII: Final = "60803000-K"


def parse(value: str) -> str | None:
    """The dashed form; None for what is no RUT, or whose check digit is another."""
    if not value.isascii() or len(value) > 20:
        return None
    try:
        plain: str = _rut.validate(value)
    except ValidationError:
        return None
    return f"{int(plain[:-1])}-{plain[-1]}"


def parts(dashed: str) -> tuple[str, str]:
    """Number and check digit, which SII's services take apart."""
    number, _, digit = dashed.partition("-")
    return number, digit


def pointed(dashed: str) -> str:
    """As people read it: 76.192.083-9."""
    number, digit = parts(dashed)
    return f"{int(number):,}".replace(",", ".") + f"-{digit}"
