"""What WSFEv1 checks of a request: structure first (an error of the whole request), then every rule of its content (an
observation with which it is rejected). Codes as the manual has them, as far as others quote them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

Finding = tuple[int, str]
# A document of this CUIT by point of sale, type and number.
Known = Callable[[int, int, int], dict[str, Any] | None]

_ORDER = (
    "Concepto",
    "DocTipo",
    "DocNro",
    "CbteDesde",
    "CbteHasta",
    "CbteFch",
    "ImpTotal",
    "ImpTotConc",
    "ImpNeto",
    "ImpOpEx",
    "ImpTrib",
    "ImpIVA",
    "FchServDesde",
    "FchServHasta",
    "FchVtoPago",
    "MonId",
    "MonCotiz",
    "CanMisMonExt",
    "CondicionIVAReceptorId",
    "CbtesAsoc",
    "Tributos",
    "Iva",
    "Opcionales",
    "Compradores",
    "PeriodoAsoc",
    "Actividades",
)
_REQUIRED = (*_ORDER[:12], "MonId", "MonCotiz")
_INVOICES = {1: "A", 6: "B", 11: "C"}
_NOTES = {3: "A", 8: "B", 13: "C"}
_CONDITIONS = {
    "A": {1, 6, 13, 16},
    "B": {4, 5, 7, 8, 9, 10, 15},
    "C": {1, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16},
}
_RATES = {3: "0", 4: "0.105", 5: "0.21", 6: "0.27", 8: "0.05", 9: "0.025"}
_IDENTIFIED_FROM = Decimal(10_000_000)


def structure(detail: Element) -> list[Finding]:
    """The elements of the schema, each once at most, in its order, none missing and none foreign."""
    names = [child.tag.rpartition("}")[2] for child in detail]
    foreign = [name for name in names if name not in _ORDER]
    missing = [name for name in _REQUIRED if name not in names]
    if foreign or missing or names != sorted(set(names), key=_ORDER.index):
        return [(10000, f"Estructura inválida: {', '.join(foreign or missing) or 'orden'}")]
    return []


def content(detail: Element, point_of_sale: int, type: int, known: Known, cuit: int) -> list[Finding]:
    """detail: whose structure is good."""
    letter = _INVOICES.get(type) or _NOTES.get(type)
    if letter is None or not 0 < point_of_sale < 99_999:
        return [(10004, "El tipo de comprobante o el punto de venta no es válido")]
    try:
        found = _Detail(detail)
    except (InvalidOperation, ValueError) as error:
        return [(10000, f"Valor inválido: {error}")]
    wrong = [*_sums(found, letter), *_who(found, letter, type), *_when(found)]
    if type in _NOTES:
        wrong += _associated(found, letter, known, cuit)
    return wrong


class _Detail:
    def __init__(self, detail: Element) -> None:
        self.texts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in detail}
        self.nested = {child.tag.rpartition("}")[2]: child for child in detail if len(child)}
        self.amount = {name: _amount(self.texts[name]) for name in self.texts if name.startswith("Imp")}
        self.id_type, self.id_number = int(self.texts["DocTipo"]), int(self.texts["DocNro"])

    def rows(self, name: str) -> list[dict[str, str]]:
        return [
            {field.tag.rpartition("}")[2]: (field.text or "").strip() for field in row}
            for row in self.nested.get(name, ())
        ]


def _sums(found: _Detail, letter: str) -> list[Finding]:
    amount, wrong = found.amount, []
    parts = ("ImpTotConc", "ImpNeto", "ImpOpEx", "ImpTrib", "ImpIVA")
    if amount["ImpTotal"] != sum(amount[part] for part in parts):
        wrong.append((10048, "ImpTotal no es la suma de sus partes"))
    rates = found.rows("Iva")
    if letter == "C":
        if rates or amount["ImpIVA"] or amount["ImpTotConc"] or amount["ImpOpEx"]:
            wrong.append((10071, "Un comprobante C no informa IVA, exento ni no gravado"))
        return wrong
    if len({row.get("Id") for row in rates}) != len(rates):
        wrong.append((10020, "Una alícuota se informa dos veces"))
    if sum((_amount(row["Importe"]) for row in rates), Decimal(0)) != amount["ImpIVA"]:
        wrong.append((10023, "La suma de AlicIva.Importe no es ImpIVA"))
    if sum((_amount(row["BaseImp"]) for row in rates), Decimal(0)) != amount["ImpNeto"]:
        wrong.append((10061, "La suma de AlicIva.BaseImp no es ImpNeto"))
    for row in rates:
        rate = _RATES.get(int(row["Id"]))
        if rate is None:
            wrong.append((10019, "La alícuota no existe"))
            continue
        off = abs(_amount(row["BaseImp"]) * Decimal(rate) - _amount(row["Importe"]))
        if off > Decimal("0.01"):
            wrong.append((10051, "Los importes de AlicIva no corresponden a sus porcentajes"))
    return wrong


def _who(found: _Detail, letter: str, type: int) -> list[Finding]:
    wrong = []
    condition = found.texts.get("CondicionIVAReceptorId", "")
    if not condition:
        wrong.append((10246, "Campo Condición Frente al IVA del receptor es obligatorio"))
    elif not condition.isdigit() or int(condition) not in _CONDITIONS[letter]:
        wrong.append((10243, "La condición frente al IVA del receptor no es válida para la clase de comprobante"))
    if letter == "A" and found.id_type != 80:
        wrong.append((10013, "Para comprobantes A el DocTipo debe ser 80"))
    if found.id_type in (80, 86) and not _is_cuit(found.id_number):
        wrong.append((10015, "El DocNro no es una CUIT válida"))
    if found.id_type == 99 and found.id_number:
        wrong.append((10015, "Con DocTipo 99 el DocNro debe ser 0"))
    if found.id_type == 99 and type in _INVOICES and found.amount["ImpTotal"] >= _IDENTIFIED_FROM:
        wrong.append((10015, "Por el importe el receptor debe identificarse"))
    return wrong


def _when(found: _Detail) -> list[Finding]:
    wrong = []
    days = ("CbteFch", "FchServDesde", "FchServHasta", "FchVtoPago")
    if not all(_is_day(found.texts[name]) for name in days if name in found.texts):
        wrong.append((10016, "Una fecha no es AAAAMMDD"))
    services = found.texts["Concepto"] in ("2", "3")
    if found.texts["Concepto"] not in ("1", "2", "3") or services != ("FchServDesde" in found.texts):
        wrong.append((10049, "Concepto y fechas del servicio no corresponden"))
    if found.texts["MonId"] != "PES" or _amount(found.texts["MonCotiz"]) != 1:
        wrong.append((10038, "La moneda no es válida"))
    return wrong


def _associated(found: _Detail, letter: str, known: Known, cuit: int) -> list[Finding]:
    rows = found.rows("CbtesAsoc")
    if not rows:
        return [(10197, "Una nota debe informar su comprobante asociado")]
    wrong = []
    for row in rows:
        taken_back = known(int(row["PtoVta"]), int(row["Tipo"]), int(row["Nro"]))
        if _INVOICES.get(int(row["Tipo"])) != letter or taken_back is None or int(row["Cuit"]) != cuit:
            wrong.append((10040, "El comprobante asociado no existe o no es de la misma clase"))
        elif taken_back["day"] != row.get("CbteFch"):
            wrong.append((10041, "La fecha del comprobante asociado no es la suya"))
    return wrong


def _amount(value: str) -> Decimal:
    amount = Decimal(value)
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or amount < 0 or not isinstance(exponent, int) or exponent < -2:
        raise ValueError("an amount has two decimals at most")
    return amount


def _is_day(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - a day
    except ValueError:
        return False
    return len(value) == 8


def _is_cuit(number: int) -> bool:
    digits = f"{number:011d}"
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False))
    return len(digits) == 11 and (11 - weighted % 11) % 11 == int(digits[10])
