"""Single cells: what a spreadsheet would make of them, and what people write into them."""

from __future__ import annotations

import re
from typing import Final

# A spreadsheet takes a cell that begins so for a formula and runs it where the file is opened. The last four are wide
# forms of the first.
_FORMULA: Final = re.compile("^'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]{1,2}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_YES: Final = frozenset({"true", "1", "sí", "si", "s", "sim", "yes", "y", "verdadero", "verdadeiro", "activo", "ativo"})
_NO: Final = frozenset({"false", "0", "no", "não", "nao", "n", "falso", "inactivo", "inativo"})


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: behind an apostrophe where it looks like one."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """What `neutral` was given: the two undo each other for every text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def decimal(cell: str) -> str:
    """A decimal with a point. One or two digits behind a single comma are decimals; any other comma, such as that of
    1,234, could mean either and is left for validation to refuse."""
    return cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell


def fraction(cell: str) -> str:
    """ "16%" or "0.16" as a fraction."""
    if not cell.endswith("%"):
        return decimal(cell)
    percent = decimal(cell[:-1].strip())
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", percent):
        return cell
    whole, _, decimals = percent.partition(".")
    digits = whole.rjust(3, "0")
    return f"{digits[:-2]}.{digits[-2:]}{decimals}"


def whole(cell: str) -> int | str:
    """A whole number; anything else as it is, for validation to refuse."""
    return int(cell) if _WHOLE.fullmatch(cell) else cell


def truth(cell: str) -> bool | str:
    """Yes or no, in Spanish, Portuguese or English; anything else as it is, for validation to refuse."""
    said = cell.casefold()
    return True if said in _YES else False if said in _NO else cell
