"""A document as ARCA sees it: its type by who sells and who buys, whom it names, and what it adds up to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fiscal.ar.amounts import Amounts, amounts
from fiscal.ar.codes import (
    CUIT,
    LETTERS,
    NOBODY,
    NOTE_TYPES,
    Condition,
    condition,
    document_type,
    identity,
    letter,
    receiver_condition,
)
from fiscal.document import DocumentKind, FiscalDocument
from fiscal.errors import BadProfile, Message, Rejected
from fiscal.profile import IssuerProfile

PRODUCTS = 1
SERVICES = 2


@dataclass(frozen=True, slots=True)
class Associated:
    """The document that a note takes back."""

    type: int
    point_of_sale: int
    number: int
    cuit: int
    day: date


@dataclass(frozen=True, slots=True)
class Voucher:
    """type: CbteTipo. concept: 1 products, 2 services, which name their period: the day of the sale."""

    type: int
    point_of_sale: int
    number: int
    concept: int
    id_type: int
    id_number: int
    condition: Condition
    day: date
    amounts: Amounts
    associated: Associated | None

    @property
    def letter(self) -> str:
        return LETTERS[self.type]


def series_of(point_of_sale: int, type: int) -> str:
    return f"{point_of_sale:05d}-{type:03d}"


def parse_series(value: str) -> tuple[int, int]:
    """Point of sale and type."""
    point_of_sale, _, type = value.partition("-")
    return int(point_of_sale), int(type)


def issuer_condition(issuer: IssuerProfile) -> Condition:
    found = condition(issuer.regime)
    if found is None:
        raise BadProfile.field("taxRegime", "is none of ARCA's conditions")
    return found


def type_of(issuer: IssuerProfile, document: FiscalDocument) -> int:
    """CbteTipo. Raises Rejected."""
    if document.reference is not None and document.kind is DocumentKind.CREDIT_NOTE:
        taken_back = LETTERS.get(_number(document.reference.document_type))
        if taken_back is None:
            raise Rejected([Message("comprobante_desconocido", "El comprobante que se anula no es de ARCA")])
        return NOTE_TYPES[taken_back]
    buyer = receiver_condition(document.receiver)
    if buyer is None:
        raise Rejected([Message("condicion_iva_requerida", "Falta la condición frente al IVA del comprador")])
    return document_type(document.kind, letter(issuer_condition(issuer), buyer))


def voucher(
    issuer: IssuerProfile, document: FiscalDocument, in_series: str, number: int, identified_from: Decimal | None = None
) -> Voucher:
    """in_series: which was chosen before, whatever the profile says by now. identified_from: total from which a final
    consumer must be named; None where that was checked. Raises Rejected naming what is missing."""
    place, type = parse_series(in_series)
    who = identity(document.receiver)
    if who is None:
        raise Rejected([Message("documento_invalido", "El CUIT o documento del comprador no es válido")])
    buyer = receiver_condition(document.receiver) or Condition.FINAL_CONSUMER
    if LETTERS[type] == "A" and who[0] != CUIT:
        raise Rejected([Message("cuit_requerido", "Una factura A necesita el CUIT del comprador")])
    is_note = document.kind is DocumentKind.CREDIT_NOTE
    too_much = identified_from is not None and document.total.decimal >= identified_from
    if who[0] == NOBODY and not is_note and too_much:
        raise Rejected([Message("identificacion_requerida", "Por su importe, el comprador debe identificarse")])
    return Voucher(
        type=type,
        point_of_sale=place,
        number=number,
        concept=SERVICES if issuer.fields.get("concept") == "SERVICES" else PRODUCTS,
        id_type=who[0],
        id_number=who[1],
        condition=buyer,
        day=document.local_time.date(),
        amounts=amounts(document, with_vat=LETTERS[type] != "C"),
        associated=_associated(issuer, document) if is_note else None,
    )


def point_of_sale(issuer: IssuerProfile) -> int:
    return _number(issuer.fields.get("pointOfSale", ""))


def _associated(issuer: IssuerProfile, document: FiscalDocument) -> Associated:
    reference = document.reference
    assert reference is not None
    place, type = parse_series(reference.series)
    return Associated(type, place, reference.number, int(issuer.tax_id), reference.issued_on)


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 5 else 0
