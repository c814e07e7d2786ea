"""ARCA's code lists as far as a shop needs them. Pure.

Types of documents: FEParamGetTiposCbte. Conditions: FEParamGetCondicionIvaReceptor. Rates: FEParamGetTiposIva.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Final

from stdnum.ar import cuit

from fiscal.document import DocumentKind, Receiver


class Condition(IntEnum):
    """Condición frente al IVA."""

    REGISTERED = 1
    EXEMPT = 4
    FINAL_CONSUMER = 5
    MONOTRIBUTO = 6
    UNCATEGORIZED = 7
    FOREIGN_SUPPLIER = 8
    FOREIGN_CUSTOMER = 9
    FREED = 10
    SOCIAL_MONOTRIBUTO = 13
    NOT_REACHED = 15
    PROMOTED_MONOTRIBUTO = 16


CONDITION_NAMES: Final[Mapping[Condition, str]] = {
    Condition.REGISTERED: "IVA Responsable Inscripto",
    Condition.EXEMPT: "IVA Sujeto Exento",
    Condition.FINAL_CONSUMER: "Consumidor Final",
    Condition.MONOTRIBUTO: "Responsable Monotributo",
    Condition.UNCATEGORIZED: "Sujeto No Categorizado",
    Condition.FOREIGN_SUPPLIER: "Proveedor del Exterior",
    Condition.FOREIGN_CUSTOMER: "Cliente del Exterior",
    Condition.FREED: "IVA Liberado - Ley 19.640",
    Condition.SOCIAL_MONOTRIBUTO: "Monotributista Social",
    Condition.NOT_REACHED: "IVA No Alcanzado",
    Condition.PROMOTED_MONOTRIBUTO: "Monotributo Trabajador Independiente Promovido",
}

# What a document of class A is for; everybody else gets B, and everybody gets C of who charges no VAT.
CLASS_A: Final = frozenset(
    {Condition.REGISTERED, Condition.MONOTRIBUTO, Condition.SOCIAL_MONOTRIBUTO, Condition.PROMOTED_MONOTRIBUTO}
)
ISSUERS: Final = frozenset({Condition.REGISTERED, Condition.EXEMPT, Condition.MONOTRIBUTO})

INVOICE_TYPES: Final[Mapping[str, int]] = {"A": 1, "B": 6, "C": 11}
NOTE_TYPES: Final[Mapping[str, int]] = {"A": 3, "B": 8, "C": 13}
LETTERS: Final[Mapping[int, str]] = {
    code: letter for types in (INVOICE_TYPES, NOTE_TYPES) for letter, code in types.items()
}

VAT_IDS: Final[Mapping[Decimal, int]] = {
    Decimal("0.025"): 9,
    Decimal("0.05"): 8,
    Decimal("0.105"): 4,
    Decimal("0.21"): 5,
    Decimal("0.27"): 6,
}

CUIT: Final = 80
CUIL: Final = 86
PASSPORT: Final = 94
DNI: Final = 96
NOBODY: Final = 99
_ID_KINDS: Final[Mapping[str, int]] = {"CUIT": CUIT, "CUIL": CUIL, "PASAPORTE": PASSPORT, "DNI": DNI}
ID_NAMES: Final[Mapping[int, str]] = {code: name for name, code in _ID_KINDS.items()}


def condition(regime: str) -> Condition | None:
    """From ARCA's code (1, 6) or its name here (REGISTERED, MONOTRIBUTO)."""
    value = regime.strip().upper()
    if value in Condition.__members__:
        return Condition[value]
    if value.isascii() and value.isdigit() and len(value) <= 2 and int(value) in set(Condition):
        return Condition(int(value))
    return None


def is_cuit(value: str) -> bool:
    return value.isascii() and value.isdigit() and bool(cuit.is_valid(value))


def identity(receiver: Receiver | None) -> tuple[int, int] | None:
    """DocTipo and DocNro; None where the receiver's number is none of its kind."""
    if receiver is None:
        return NOBODY, 0
    digits = receiver.tax_id.replace("-", "").replace(".", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        return None
    kind = _ID_KINDS.get(receiver.tax_id_kind.strip().upper())
    if kind is None:
        if receiver.tax_id_kind:
            return None
        kind = CUIT if len(digits) == 11 else DNI
    if kind in (CUIT, CUIL) and not is_cuit(digits):
        return None
    if kind in (DNI, PASSPORT) and not (6 <= len(digits) <= 9 and int(digits)):
        return None
    return kind, int(digits)


def receiver_condition(receiver: Receiver | None) -> Condition | None:
    """None where it is unknown: a CUIT alone does not tell."""
    if receiver is None:
        return Condition.FINAL_CONSUMER
    if receiver.regime:
        return condition(receiver.regime)
    found = identity(receiver)
    return Condition.FINAL_CONSUMER if found is not None and found[0] in (DNI, PASSPORT, CUIL) else None


def letter(issuer: Condition, receiver: Condition) -> str:
    if issuer is not Condition.REGISTERED:
        return "C"
    return "A" if receiver in CLASS_A else "B"


def document_type(kind: DocumentKind, class_letter: str) -> int:
    return (NOTE_TYPES if kind is DocumentKind.CREDIT_NOTE else INVOICE_TYPES)[class_letter]
