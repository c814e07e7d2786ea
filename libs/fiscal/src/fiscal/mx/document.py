"""A fiscal document as a CFDI 4.0, unsigned. Pure; loads satcfdi, so for the workshop alone.

satcfdi writes the XML. Amounts are not its own: its way of rounding misses what was charged in two baskets of five.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from satcfdi.create.cfd import cfdi40

from fiscal.document import DocumentKind, FiscalDocument, Receiver
from fiscal.mx import catalogs
from fiscal.mx.amounts import Amounts, Concept, amounts_of

_IVA: Final = "002"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f|]+|\s+")


@dataclass(frozen=True, slots=True)
class Issuer:
    """What of a profile goes into a document. exempt_zero: whether a rate of zero means exempt, and not IVA at 0 %."""

    rfc: str
    name: str
    regime: str
    postal_code: str
    product_code: str
    unit_code: str
    exempt_zero: bool


class Comprobante(cfdi40.Comprobante):
    """A CFDI whose amounts are given."""

    def __init__(self, amounts: Amounts, exempt_zero: bool, **values: Any) -> None:
        self._amounts = amounts
        self._exempt_zero = exempt_zero
        super().__init__(**values)

    def compute(self) -> None:
        amounts = self._amounts
        self["SubTotal"] = amounts.subtotal
        self["Descuento"] = amounts.discount or None
        self["Impuestos"] = self._taxes()
        self["Total"] = amounts.total

    def _taxes(self) -> dict[str, Any] | None:
        transferred = [
            transfer(base, rate, tax, self._exempt_zero) for rate, (base, tax) in self._amounts.taxes.items()
        ]
        if not transferred:
            return None
        taxes: dict[str, Any] = {"Traslados": transferred}
        if any(item["Importe"] is not None for item in transferred):
            taxes["TotalImpuestosTrasladados"] = self._amounts.tax
        return taxes


def build(document: FiscalDocument, issuer: Issuer, series: str, number: int) -> Comprobante:
    """Raises Rejected for what cannot be a CFDI."""
    amounts = amounts_of(document)
    return Comprobante(
        amounts,
        issuer.exempt_zero,
        emisor=cfdi40.Emisor(rfc=issuer.rfc, nombre=issuer.name, regimen_fiscal=issuer.regime),
        lugar_expedicion=issuer.postal_code,
        receptor=_receiver(document, issuer),
        conceptos=[_concept(concept, document, issuer) for concept in amounts.concepts],
        moneda=document.currency.value,
        tipo_de_comprobante="E" if document.kind is DocumentKind.CREDIT_NOTE else "I",
        exportacion="01",
        serie=series,
        folio=str(number),
        forma_pago=_payment_form(document),
        metodo_pago="PUE",
        informacion_global=_period(document),
        cfdi_relacionados=_related(document),
        fecha=document.local_time.replace(tzinfo=None, microsecond=0),
    )


def transfer(base: Decimal, rate: Decimal, tax: Decimal, exempt_zero: bool) -> dict[str, Any]:
    exempt = exempt_zero and not rate
    return {
        "Base": base,
        "Impuesto": _IVA,
        "TipoFactor": "Exento" if exempt else "Tasa",
        "TasaOCuota": None if exempt else rate.quantize(Decimal("0.000001")),
        "Importe": None if exempt else tax,
    }


def words(text: str, longest: int) -> str:
    """Without what an attribute of a CFDI may not hold: pipes, control characters, runs of blanks."""
    return _UNPRINTABLE.sub(" ", text).strip()[:longest].strip()


def _concept(concept: Concept, document: FiscalDocument, issuer: Issuer) -> cfdi40.ScalarMap:
    line = concept.line
    product, unit = _keys(document, issuer)
    values: dict[str, Any] = {
        "ClaveProdServ": line.product_code or product,
        "NoIdentificacion": words(line.sku, 100) or None,
        "Cantidad": line.quantity,
        "ClaveUnidad": line.unit_code or unit,
        "Descripcion": words(line.description, 1000) or "Venta",
        "ValorUnitario": concept.unit_price,
        "Importe": concept.amount,
        "Descuento": concept.discount or None,
        "ObjetoImp": "01" if concept.rate is None else "02",
        "Impuestos": None,
    }
    if concept.rate is not None:
        values["Impuestos"] = {"Traslados": [transfer(concept.base, concept.rate, concept.tax, issuer.exempt_zero)]}
    return cfdi40.ScalarMap(values)


def _keys(document: FiscalDocument, issuer: Issuer) -> tuple[str, str]:
    if document.kind is DocumentKind.GLOBAL:
        return catalogs.GENERAL_PRODUCT, catalogs.ACTIVITY
    if document.kind is DocumentKind.CREDIT_NOTE and not _goods_came_back(document):
        return catalogs.BILLING_SERVICES, catalogs.ACTIVITY
    return issuer.product_code, issuer.unit_code


def _receiver(document: FiscalDocument, issuer: Issuer) -> cfdi40.Receptor:
    receiver = document.receiver
    if receiver is None or receiver.tax_id.upper() == catalogs.PUBLIC_RFC:
        name = receiver.name if receiver is not None else ""
        return _generic(catalogs.PUBLIC_RFC, name or catalogs.PUBLIC_NAME, issuer)
    if receiver.tax_id.upper() == catalogs.FOREIGN_RFC:
        return _generic(catalogs.FOREIGN_RFC, receiver.name, issuer)
    return cfdi40.Receptor(
        rfc=receiver.tax_id.upper(),
        nombre=words(receiver.name.upper(), 300),
        domicilio_fiscal_receptor=receiver.address.postal_code,
        regimen_fiscal_receptor=receiver.regime,
        uso_cfdi=_use(document, receiver),
    )


def _generic(rfc: str, name: str, issuer: Issuer) -> cfdi40.Receptor:
    return cfdi40.Receptor(
        rfc=rfc,
        nombre=words(name.upper(), 300),
        domicilio_fiscal_receptor=issuer.postal_code,
        regimen_fiscal_receptor=catalogs.PUBLIC_REGIME,
        uso_cfdi=catalogs.NO_EFFECT,
    )


def _use(document: FiscalDocument, receiver: Receiver) -> str:
    if document.kind is DocumentKind.CREDIT_NOTE:
        return catalogs.use_of_credit(receiver.regime)
    return receiver.use.upper() or catalogs.NO_EFFECT


def _payment_form(document: FiscalDocument) -> str:
    """Of what was paid in several ways, the one by which most was paid."""
    if not document.payments:
        return catalogs.PAYMENT_FORMS[next(iter(catalogs.PAYMENT_FORMS))]
    most = max(document.payments, key=lambda payment: payment.amount.minor)
    return catalogs.PAYMENT_FORMS[most.form]


def _period(document: FiscalDocument) -> cfdi40.InformacionGlobal | None:
    period = document.period
    if period is None:
        return None
    return cfdi40.InformacionGlobal(
        periodicidad=catalogs.PERIODICITIES[period.periodicity],
        meses=f"{period.first.month:02d}",
        ano=period.first.year,
    )


def _related(document: FiscalDocument) -> cfdi40.CfdiRelacionados | None:
    reference = document.reference
    if reference is None:
        return None
    kind = catalogs.SUBSTITUTION
    if document.kind is DocumentKind.CREDIT_NOTE:
        kind = catalogs.RETURN if _goods_came_back(document) else catalogs.CREDIT
    return cfdi40.CfdiRelacionados(tipo_relacion=kind, cfdi_relacionado=reference.fiscal_id)


def _goods_came_back(document: FiscalDocument) -> bool:
    return document.reference is not None and document.reference.goods
