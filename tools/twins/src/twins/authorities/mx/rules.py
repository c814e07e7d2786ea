"""What a PAC checks before it stamps: the schema, the seal, and the sums. By its own reading of the document."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from twins.authorities.mx.chain import NS, chain
from twins.authorities.mx.keys import Authority, number_of

_PUBLIC = "XAXX010101000"
_CENT = Decimal("0.01")
_SIXTH = Decimal("0.000001")
_TRANSFERS = f"{NS}Impuestos/{NS}Traslados/{NS}Traslado"


class Refusal(Exception):
    """code: SAT's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


def checked(content: bytes, authority: Authority) -> etree._Element:
    """The document, which may be stamped. Raises Refusal."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        raise Refusal("301", "El XML está mal formado") from None
    known = schema()
    if not known.validate(root):
        log: Any = known.error_log
        raise Refusal("301", f"El XML no cumple el esquema: {log.last_error}")
    if root.find(f"{NS}Complemento") is not None:
        raise Refusal("307", "El comprobante contiene un timbre previo")
    _check_seal(root, authority)
    _check_parties(root)
    _check_sums(root)
    return root


def _check_seal(root: etree._Element, authority: Authority) -> None:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(root.get("Certificado", ""), validate=True))
        seal = base64.b64decode(root.get("Sello", ""), validate=True)
    except (ValueError, binascii.Error):
        raise Refusal("302", "Sello mal formado o inválido") from None
    if not authority.certified(certificate):
        raise Refusal("308", "Certificado no expedido por el SAT")
    if number_of(certificate) != root.get("NoCertificado"):
        raise Refusal("CFDI40105", "El número de certificado no es el del certificado")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise Refusal("304", "Certificado revocado o caduco")
    identifier = certificate.subject.get_attributes_for_oid(x509.ObjectIdentifier("2.5.4.45"))[0].value
    text = identifier if isinstance(identifier, str) else identifier.decode()
    if text.split("/")[0].strip() != _one(root, "Emisor").get("Rfc"):
        raise Refusal("303", "Sello no corresponde a emisor")
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    try:
        public.verify(seal, chain(root), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refusal("302", "Sello mal formado o inválido") from None


def _check_parties(root: etree._Element) -> None:
    receiver, period = _one(root, "Receptor"), root.find(f"{NS}InformacionGlobal")
    kind = root.get("TipoDeComprobante")
    public = receiver.get("Rfc") == _PUBLIC
    if public:
        if (receiver.get("RegimenFiscalReceptor"), receiver.get("UsoCFDI")) != ("616", "S01"):
            raise Refusal("CFDI40161", "El RFC genérico lleva régimen 616 y uso S01")
        if receiver.get("DomicilioFiscalReceptor") != root.get("LugarExpedicion"):
            raise Refusal("CFDI40149", "El domicilio del RFC genérico es el lugar de expedición")
    nobody = public and receiver.get("Nombre") == "PUBLICO EN GENERAL"
    if kind == "I" and nobody != (period is not None):
        raise Refusal("CFDI40130", "InformacionGlobal es del público en general y de nadie más")
    if period is not None:
        for concept in root.iterfind(f"{NS}Conceptos/{NS}Concepto"):
            if (concept.get("ClaveProdServ"), concept.get("ClaveUnidad")) != ("01010101", "ACT"):
                raise Refusal("CFDI40162", "Las partidas de la factura global son 01010101 y ACT")
            if not concept.get("NoIdentificacion"):
                raise Refusal("CFDI40164", "Cada partida de la factura global dice su comprobante")
    if kind == "E" and root.find(f"{NS}CfdiRelacionados") is None:
        raise Refusal("CFDI40139", "Un egreso dice su comprobante relacionado")
    if root.get("MetodoPago") == "PUE" and root.get("FormaPago") == "99":
        raise Refusal("CFDI40124", "La forma de pago 99 es de PPD")


def _check_sums(root: etree._Element) -> None:
    amounts = discounts = Decimal(0)
    sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for concept in root.iterfind(f"{NS}Conceptos/{NS}Concepto"):
        amount, discount = _number(concept, "Importe"), _number(concept, "Descuento")
        low, high = _bounds(concept)
        if not low <= amount <= high:
            raise Refusal("CFDI40167", "El importe no es cantidad por valor unitario")
        if discount > amount:
            raise Refusal("CFDI40169", "El descuento es mayor que el importe")
        if _number(concept, "ValorUnitario") <= 0:
            raise Refusal("CFDI40166", "El valor unitario debe ser mayor que cero")
        taxed = concept.find(_TRANSFERS) is not None
        if (concept.get("ObjetoImp") == "02") != taxed:
            raise Refusal("CFDI40170", "Lo que es objeto de impuesto, y nada más, dice sus impuestos")
        amounts, discounts = amounts + amount, discounts + discount
        for transfer in concept.iterfind(_TRANSFERS):
            base, tax = _number(transfer, "Base"), _number(transfer, "Importe")
            if base != amount - discount:
                raise Refusal("CFDI40173", "La base no es el importe menos el descuento")
            if transfer.get("TipoFactor") == "Tasa" and abs(tax - base * _number(transfer, "TasaOCuota")) > Decimal(
                "0.000001"
            ):
                raise Refusal("CFDI40180", "El importe del impuesto no es base por tasa")
            found = sums[transfer.get("TipoFactor", ""), transfer.get("TasaOCuota", "")]
            found[0], found[1] = found[0] + base, found[1] + tax
    if _number(root, "SubTotal") != _cents(amounts):
        raise Refusal("CFDI40108", "El SubTotal no es la suma de los importes de los conceptos")
    if _number(root, "Descuento") != _cents(discounts):
        raise Refusal("CFDI40110", "El Descuento no es la suma de los descuentos de los conceptos")
    taxes = Decimal(0)
    told = list(root.iterfind(_TRANSFERS))
    if len(told) != len(sums):
        raise Refusal("CFDI40209", "Los traslados no son los de los conceptos")
    for transfer in told:
        base, tax = sums[transfer.get("TipoFactor", ""), transfer.get("TasaOCuota", "")]
        if _number(transfer, "Base") != _cents(base):
            raise Refusal("CFDI40215", "La base del traslado no es la suma de las de los conceptos")
        if _number(transfer, "Importe") != _cents(tax):
            raise Refusal("CFDI40221", "El importe del traslado no es la suma de los de los conceptos")
        taxes += _cents(tax)
    head = root.find(f"{NS}Impuestos")
    if head is not None and _number(head, "TotalImpuestosTrasladados") != taxes:
        raise Refusal("CFDI40204", "El total de impuestos trasladados no es su suma")
    if _number(root, "Total") != _cents(amounts) - _cents(discounts) + taxes:
        raise Refusal("CFDI40119", "El Total no es subtotal menos descuento más impuestos")


def _bounds(concept: etree._Element) -> tuple[Decimal, Decimal]:
    """Anexo 20: quantity and unit price may each be off by half of their last digit."""
    quantity, price = _number(concept, "Cantidad"), _number(concept, "ValorUnitario")
    halves = [Decimal(1).scaleb(int(value.as_tuple().exponent)) / 2 for value in (quantity, price)]
    low = (quantity - halves[0]) * (price - halves[1])
    return low, (quantity + halves[0]) * (price + halves[1])


def _number(element: etree._Element, name: str) -> Decimal:
    return Decimal(element.get(name) or "0")


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def _one(root: etree._Element, name: str) -> etree._Element:
    found = root.find(f"{NS}{name}")
    assert found is not None
    return found


@cache
def schema() -> etree.XMLSchema:
    """SAT's own, as a library ships it."""
    spec = find_spec("satcfdi")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"
    return etree.XMLSchema(file=str(folder / "4/cfdv40.xsd"))
