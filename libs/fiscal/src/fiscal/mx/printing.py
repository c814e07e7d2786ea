"""What a printed CFDI must say: Anexo 20 and rule 2.7.1.7 of the Resolución Miscelánea Fiscal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree

from kernel import Money

from fiscal.document import DocumentKind, FiscalDocument
from fiscal.provider import CodeKind, Printed, PrintedCode

VERIFICATION_URL: Final = "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx"

_CFDI: Final = "{http://www.sat.gob.mx/cfd/4}"
_TFD: Final = "{http://www.sat.gob.mx/TimbreFiscalDigital}TimbreFiscalDigital"
_TITLES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.INVOICE: "Factura (CFDI de ingreso)",
    DocumentKind.GLOBAL: "Factura global (CFDI de ingreso)",
    DocumentKind.CREDIT_NOTE: "Nota de crédito (CFDI de egreso)",
}
_FORMS: Final[Mapping[str, str]] = {
    "01": "Efectivo",
    "03": "Transferencia",
    "04": "Tarjeta de crédito",
    "28": "Tarjeta de débito",
    "31": "Intermediario de pagos",
}


def printed(document: FiscalDocument, stamped: bytes) -> Printed:
    """stamped: the CFDI as its PAC gave it back, whose seal was held against ours when it came."""
    # Stamped over what we sealed, and stored by us: no stranger's XML. expat bounds the growth of entities.
    root = ElementTree.fromstring(stamped)  # noqa: S314
    stamp = root.find(f"{_CFDI}Complemento/{_TFD}")
    issuer, receiver = root.find(f"{_CFDI}Emisor"), root.find(f"{_CFDI}Receptor")
    assert stamp is not None
    assert issuer is not None
    assert receiver is not None
    uuid, seal, total = stamp.get("UUID", ""), root.get("Sello", ""), root.get("Total", "")
    parties = f"re={issuer.get('Rfc', '')}&rr={receiver.get('Rfc', '')}"
    code = f"{VERIFICATION_URL}?id={uuid}&{parties}&tt={total}&fe={seal[-8:]}"
    form = root.get("FormaPago", "")
    facts = [
        ("Folio fiscal", uuid),
        ("Certificación", f"{stamp.get('FechaTimbrado', '')} · PAC {stamp.get('RfcProvCertif', '')}"),
        ("CSD del emisor", root.get("NoCertificado", "")),
        ("CSD del SAT", stamp.get("NoCertificadoSAT", "")),
        ("Emisor", f"Régimen {issuer.get('RegimenFiscal', '')} · C.P. {root.get('LugarExpedicion', '')}"),
        (
            "Receptor",
            f"Uso {receiver.get('UsoCFDI', '')} · Régimen {receiver.get('RegimenFiscalReceptor', '')}"
            f" · C.P. {receiver.get('DomicilioFiscalReceptor', '')}",
        ),
        ("Pago", f"{root.get('MetodoPago', '')} · {form} {_FORMS.get(form, '')}".strip()),
    ]
    if document.reference is not None:
        facts.append(("CFDI relacionado", document.reference.fiscal_id))
    return Printed(
        title=_TITLES[document.kind],
        facts=tuple(facts),
        code=PrintedCode(CodeKind.QR, code),
        texts=("Este documento es una representación impresa de un CFDI.",),
        chains=(
            ("Sello digital del CFDI", seal),
            ("Sello digital del SAT", stamp.get("SelloSAT", "")),
            ("Cadena original del complemento de certificación digital del SAT", _chain(stamp)),
        ),
        taxes=_taxes(root, document),
    )


def _chain(stamp: ElementTree.Element) -> str:
    names = ("Version", "UUID", "FechaTimbrado", "RfcProvCertif", "Leyenda", "SelloCFD", "NoCertificadoSAT")
    return f"||{'|'.join(stamp.get(name, '') for name in names if stamp.get(name))}||"


def _taxes(root: ElementTree.Element, document: FiscalDocument) -> tuple[tuple[Decimal, Money], ...]:
    """As the CFDI says them: rounded once for all lines, which may differ by a cent from the till's sum of each."""
    return tuple(
        (
            Decimal(item.get("TasaOCuota", "0")).normalize(),
            Money.of(Decimal(item.get("Importe", "0")), document.currency),
        )
        for item in root.iterfind(f"{_CFDI}Impuestos/{_CFDI}Traslados/{_CFDI}Traslado")
    )
