"""SII's types of document, and which one a document of ours becomes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from kernel import Country, Money

from fiscal.cl import rut
from fiscal.document import DocumentKind, FiscalDocument, Line, TaxKind
from fiscal.errors import Message, Rejected

FACTURA: Final = "33"
FACTURA_EXENTA: Final = "34"
BOLETA: Final = "39"
BOLETA_EXENTA: Final = "41"
NOTA_DE_CREDITO: Final = "61"

TITLES: Final[Mapping[str, str]] = {
    FACTURA: "FACTURA ELECTRÓNICA",
    FACTURA_EXENTA: "FACTURA NO AFECTA O EXENTA ELECTRÓNICA",
    BOLETA: "BOLETA ELECTRÓNICA",
    BOLETA_EXENTA: "BOLETA EXENTA ELECTRÓNICA",
    NOTA_DE_CREDITO: "NOTA DE CRÉDITO ELECTRÓNICA",
}
BOLETAS: Final = frozenset({BOLETA, BOLETA_EXENTA})
RATE: Final = Country.CL.vat_rate
# What one document may hold (MaxOccurs of Detalle in the schemas).
_MOST_LINES: Final = {True: 1000, False: 60}


def is_taxed(line: Line) -> bool:
    return any(tax.rate for tax in line.taxes)


def amounts(document: FiscalDocument) -> tuple[Money, Money, Money]:
    """Net, exempt and tax of the whole, together exactly what was charged. SII reads the tax out of the sum of the
    taxed lines, not line by line."""
    zero = Money.zero(document.currency)
    taxed = sum((line.gross for line in document.lines if is_taxed(line)), zero)
    exempt = sum((line.gross for line in document.lines if not is_taxed(line)), zero)
    tax = taxed.included_tax(RATE)
    return taxed - tax, exempt, tax


def document_type(document: FiscalDocument) -> str:
    """Raises Rejected, before a folio is spent, for what SII would refuse."""
    taxed = any(is_taxed(line) for line in document.lines)
    match document.kind:
        case DocumentKind.TICKET:
            kind = BOLETA if taxed else BOLETA_EXENTA
        case DocumentKind.INVOICE:
            kind = FACTURA if taxed else FACTURA_EXENTA
        case DocumentKind.CREDIT_NOTE:
            kind = NOTA_DE_CREDITO
        case _:
            raise _refused("kind", "SII no tiene factura global")
    _check_lines(document, kind in BOLETAS)
    _check_receiver(document, kind)
    return kind


def _check_lines(document: FiscalDocument, boleta: bool) -> None:
    most = _MOST_LINES[boleta]
    if len(document.lines) > most:
        raise _refused("lines", f"El documento admite hasta {most} líneas")
    for line in document.lines:
        for tax in line.taxes:
            if tax.kind is not TaxKind.VAT or tax.rate not in (RATE, Decimal(0)):
                raise _refused("tax_rate", f"{tax.kind.value} de {tax.rate.normalize():f} no es IVA de {RATE}")


def _check_receiver(document: FiscalDocument, kind: str) -> None:
    receiver = document.receiver
    if receiver is None:
        return
    if rut.parse(receiver.tax_id) is None:
        raise _refused("receiver_tax_id", "El RUT del receptor no es válido")
    if kind not in (FACTURA, FACTURA_EXENTA):
        return
    for missing, name in (
        (receiver.use, "el giro"),
        (receiver.address.street, "la dirección"),
        (receiver.address.district or receiver.address.city, "la comuna"),
    ):
        if not missing:
            raise _refused("receiver_incomplete", f"Falta {name} del receptor")


def _refused(code: str, text: str) -> Rejected:
    return Rejected([Message(code, text)])
