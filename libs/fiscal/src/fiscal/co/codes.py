"""The DIAN's codes that this package decides on (annex 1.9, section 13; annex 1.0 of equivalent documents, 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fiscal.document import DocumentKind, PaymentForm, TaxKind

INVOICE: Final = "01"
POS: Final = "20"
CREDIT_NOTE: Final = "91"
ADJUSTMENT_NOTE: Final = "94"

# A buyer who is not named: a made-up identity card number, without a check digit.
FINAL_CONSUMER: Final = "222222222222"
FINAL_CONSUMER_NAME: Final = "Consumidor final"

DIAN_NIT: Final = "800197268"
DIAN_DIGIT: Final = "4"
AGENCY: Final = "CO, DIAN (Dirección de Impuestos y Aduanas Nacionales)"

NIT: Final = "31"
IDENTITY_CARD: Final = "13"
# Kinds of identification, by the word that a buyer's is given with (13.2.1).
IDENTIFICATIONS: Final[Mapping[str, str]] = {
    "NIT": NIT,
    "CC": IDENTITY_CARD,
    "RC": "11",
    "TI": "12",
    "TE": "21",
    "CE": "22",
    "PP": "41",
    "DIE": "42",
    "PEP": "47",
    "PPT": "48",
    "NITE": "50",
}

# Responsibilities (13.2.6.1) and what a party's are where nobody said.
RESPONSIBILITIES: Final = frozenset({"O-13", "O-15", "O-23", "O-47", "R-99-PN"})
NO_RESPONSIBILITY: Final = "R-99-PN"

TAXES: Final[Mapping[TaxKind, tuple[str, str]]] = {TaxKind.VAT: ("01", "IVA"), TaxKind.CONSUMPTION: ("04", "INC")}
NO_TAX: Final = ("ZZ", "No aplica")

# Means of payment (13.3.4.2); "1" is an instrument that is not defined.
PAYMENT_MEANS: Final[Mapping[PaymentForm, str]] = {
    PaymentForm.CASH: "10",
    PaymentForm.CARD: "48",
    PaymentForm.TRANSFER: "47",
    PaymentForm.WALLET: "1",
    PaymentForm.OTHER: "1",
}

UNIT: Final = "94"

# Why a credit note is issued (13.2.4).
PARTIAL_RETURN: Final = "1"
VOIDED: Final = "2"


@dataclass(frozen=True, slots=True)
class Form:
    """What distinguishes the document types. operation: CustomizationID; of an adjustment note, the type of what it
    adjusts. file: what its file name begins with."""

    profile: str
    operation: str
    scheme: str
    root: str
    type_element: str
    line: str
    quantity: str
    file: str


FORMS: Final[Mapping[str, Form]] = {
    INVOICE: Form(
        "DIAN 2.1: Factura Electrónica de Venta",
        "10",
        "CUFE-SHA384",
        "Invoice",
        "InvoiceTypeCode",
        "InvoiceLine",
        "InvoicedQuantity",
        "fv",
    ),
    POS: Form(
        "DIAN 2.1: Documento Equivalente POS",
        "10",
        "CUDE-SHA384",
        "Invoice",
        "InvoiceTypeCode",
        "InvoiceLine",
        "InvoicedQuantity",
        "fv",
    ),
    CREDIT_NOTE: Form(
        "DIAN 2.1: Nota Crédito de Factura Electrónica de Venta",
        "20",
        "CUDE-SHA384",
        "CreditNote",
        "CreditNoteTypeCode",
        "CreditNoteLine",
        "CreditedQuantity",
        "nc",
    ),
    ADJUSTMENT_NOTE: Form(
        "DIAN 2.1: Nota de ajuste crédito al documento equivalente",
        "20",
        "CUDE-SHA384",
        "CreditNote",
        "CreditNoteTypeCode",
        "CreditNoteLine",
        "CreditedQuantity",
        "nc",
    ),
}


def type_of(kind: DocumentKind, origin: DocumentKind | None) -> str:
    """origin: the kind of the document that a credit note takes back."""
    if kind is DocumentKind.CREDIT_NOTE:
        return ADJUSTMENT_NOTE if origin is DocumentKind.TICKET else CREDIT_NOTE
    return POS if kind is DocumentKind.TICKET else INVOICE
