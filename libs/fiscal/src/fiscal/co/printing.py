"""What the printed form of a document must say (annex 1.9, section 10; ET article 617). Light: billing loads it."""

from __future__ import annotations

import re
from typing import Final

from fiscal.co import codes, keys
from fiscal.document import FiscalDocument, PaymentForm
from fiscal.profile import Environment, IssuerProfile
from fiscal.provider import CodeKind, Outcome, Prepared, Printed, PrintedCode

_TITLES: Final = {
    codes.INVOICE: "Factura electrónica de venta",
    codes.POS: "Documento equivalente electrónico. Tiquete de máquina registradora con sistema P.O.S.",
    codes.CREDIT_NOTE: "Nota crédito de la factura electrónica de venta",
    codes.ADJUSTMENT_NOTE: "Nota de ajuste al documento equivalente electrónico P.O.S.",
}
_REGIMES: Final = {
    "O-13": "Gran contribuyente",
    "O-15": "Autorretenedor",
    "O-23": "Agente de retención IVA",
    "O-47": "Régimen simple de tributación",
    "R-99-PN": "No aplica – Otros",
}
_FORMS: Final = {
    PaymentForm.CASH: "Efectivo",
    PaymentForm.CARD: "Tarjeta",
    PaymentForm.TRANSFER: "Transferencia",
    PaymentForm.WALLET: "Billetera o pasarela de pagos",
    PaymentForm.OTHER: "Otro",
}


def printed(issuer: IssuerProfile, document: FiscalDocument, prepared: Prepared, outcome: Outcome) -> Printed:
    key = outcome.fiscal_id or prepared.local_fiscal_id or ""
    environment = "1" if issuer.environment is Environment.PRODUCTION else "2"
    name = "CUFE" if prepared.document_type == codes.INVOICE else "CUDE"
    facts = [(name, key), ("Generación", document.local_time.isoformat(" ", "seconds"))]
    validated = _validated(outcome.receipt)
    if validated:
        facts.append(("Validación DIAN", validated))
    if document.receiver is None:
        facts.append(("Adquirente", f"{codes.FINAL_CONSUMER_NAME}, {codes.FINAL_CONSUMER}"))
    forms = ", ".join(dict.fromkeys(_FORMS[payment.form] for payment in document.payments))
    facts.append(("Forma y medio de pago", f"Contado. {forms}" if forms else "Contado"))
    if document.reference is not None:
        reference = document.reference
        number = reference.series.partition("-")[2] + str(reference.number)
        facts.append(("Documento que ajusta", f"{number} del {reference.issued_on.isoformat()}"))
    texts = [*_authorization(prepared)]
    regimes = [_REGIMES[code] for code in (issuer.regime or codes.NO_RESPONSIBILITY).split(";") if code in _REGIMES]
    texts.append(f"Responsabilidades: {', '.join(regimes)}.")
    if environment == "2":
        texts.append("Documento de prueba, sin validez fiscal (habilitación DIAN).")
    return Printed(
        title=_TITLES[prepared.document_type],
        facts=tuple(facts),
        code=PrintedCode(CodeKind.QR, keys.link(key, environment)),
        texts=tuple(texts),
    )


def _authorization(prepared: Prepared) -> list[str]:
    """Of the range, out of what was signed: it may have been replaced since."""
    xml = prepared.payload.decode()

    def said(name: str) -> str:
        found = re.search(rf"<(?:sts|cbc):{name}>([^<]*)<", xml)
        return found.group(1) if found else ""

    if not said("InvoiceAuthorization"):
        return []
    prefix, first, last = said("Prefix"), said("From"), said("To")
    return [
        f"Autorización de numeración DIAN {said('InvoiceAuthorization')} del {said('StartDate')} al {said('EndDate')}, "
        f"del {prefix}{first} al {prefix}{last}."
    ]


def _validated(receipt: bytes | None) -> str:
    """When the DIAN validated it, out of its ApplicationResponse."""
    if receipt is None:
        return ""
    xml = receipt.decode("utf-8", "ignore")
    parts = [re.search(rf"<(?:\w+:)?{name}>([0-9:.+\-]{{8,20}})<", xml) for name in ("IssueDate", "IssueTime")]
    return " ".join(part.group(1) for part in parts if part)
