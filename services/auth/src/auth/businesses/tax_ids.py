"""Tax ids of the four countries: what is accepted, and the one form in which each is kept.

MX RFC `EKU9003173C9`, CO NIT `800197268-4` (number, dash, check digit), AR CUIT `30712345671`, CL RUT `76086428-5`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kernel import Country
from stdnum.ar import cuit
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.exceptions import ValidationError
from stdnum.mx import rfc

_LONGEST = 32
# Names the SAT reserves for "public at large" and "foreigner"; their check digits are deliberately none.
_GENERIC_RFC = frozenset({"XAXX010101000", "XEXX010101000"})
# DIAN's "consumidor final", which has no check digit.
_CONSUMIDOR_FINAL = "222222222222"


def _mexican(value: str) -> str:
    compact: str = rfc.compact(value)
    return compact if compact in _GENERIC_RFC else rfc.validate(value, validate_check_digits=True)


def _colombian(value: str) -> str:
    compact: str = nit.compact(value)
    return compact if compact == _CONSUMIDOR_FINAL else _dashed(nit.validate(value))


def _argentine(value: str) -> str:
    return str(cuit.validate(value))


def _chilean(value: str) -> str:
    return _dashed(rut.validate(value))


def _dashed(value: str) -> str:
    return f"{value[:-1]}-{value[-1]}"


_RULES: Mapping[Country, tuple[str, Callable[[str], str]]] = {
    Country.MX: ("RFC", _mexican),
    Country.CO: ("NIT with its check digit", _colombian),
    Country.AR: ("CUIT", _argentine),
    Country.CL: ("RUT", _chilean),
}


def normalize_tax_id(value: str, country: Country) -> str:
    """The tax id in its country's form. Raises ValueError with a message for people."""
    name, rule = _RULES[country]
    # stdnum understands digits of every script, and would keep them.
    if len(value) <= _LONGEST and (value.isascii() or (country is Country.MX and _is_mexican_text(value))):
        try:
            return rule(value)
        except ValidationError:
            pass
    raise ValueError(f"is not a valid {name}")


def _is_mexican_text(value: str) -> bool:
    # Ñ is a letter of the RFC.
    return value.upper().replace("Ñ", "").isascii()
