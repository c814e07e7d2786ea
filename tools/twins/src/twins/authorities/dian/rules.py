"""What the DIAN checks of a document: structure, keys, numbers, sums and signature. Each fault is one of its rules."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256, sha384
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from twins.authorities.dian.ca import TestAuthority
from twins.authorities.dian.xml import NS, Element, Unreadable, certificate, first, text, verifies

Json = dict[str, Any]

_TOLERANCE: Final = Decimal(2)
_POLICY: Final = "https://facturaelectronica.dian.gov.co/politicadefirma/v2/politicadefirmav2.pdf"
_POLICY_DIGEST: Final = "dMoMvtcG5aIzgYo0tIsSQeVJBDnUnfSOfBpxXrmor0Y="
_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_CATALOGUE: Final = "https://catalogo-vpfe{}.dian.gov.co/document/searchqr?documentkey={}"

_PROFILES: Final[Mapping[str, tuple[str, str, str]]] = {
    "01": ("DIAN 2.1: Factura Electrónica de Venta", "CUFE-SHA384", "10"),
    "20": ("DIAN 2.1: Documento Equivalente POS", "CUDE-SHA384", "10"),
    "91": ("DIAN 2.1: Nota Crédito de Factura Electrónica de Venta", "CUDE-SHA384", "20"),
    "94": ("DIAN 2.1: Nota de ajuste crédito al documento equivalente", "CUDE-SHA384", "20"),
}
_HEAD: Final = (
    "UBLExtensions UBLVersionID CustomizationID ProfileID ProfileExecutionID ID UUID IssueDate IssueTime {type} "
    "DocumentCurrencyCode LineCountNumeric"
)
_TAIL: Final = "AccountingSupplierParty AccountingCustomerParty PaymentMeans TaxTotal LegalMonetaryTotal {line}"
# The order of UBL's schemas; what may be left out or repeated is so in them too.
_ORDERS: Final[Mapping[str, list[str]]] = {
    "Invoice": f"{_HEAD} BillingReference {_TAIL}".format(type="InvoiceTypeCode", line="InvoiceLine").split(),
    "CreditNote": f"{_HEAD} DiscrepancyResponse BillingReference {_TAIL}".format(
        type="CreditNoteTypeCode", line="CreditNoteLine"
    ).split(),
}
_REQUIRED: Final = {"DiscrepancyResponse", "BillingReference", "TaxTotal"}
_LINE: Final = "ID {quantity} LineExtensionAmount FreeOfChargeIndicator PricingReference {sums} Item Price"
_LINE_ORDERS: Final[Mapping[str, list[str]]] = {
    "InvoiceLine": _LINE.format(quantity="InvoicedQuantity", sums="AllowanceCharge TaxTotal").split(),
    "CreditNoteLine": _LINE.format(quantity="CreditedQuantity", sums="TaxTotal AllowanceCharge").split(),
}
_PARTY: Final = "cac:{}/cac:Party/cac:PartyTaxScheme/cbc:CompanyID"


@dataclass(frozen=True, slots=True)
class Examined:
    """rules: what is wrong, as the DIAN says it; none for a document that is validated."""

    nit: str
    number: str
    key: str
    document_type: str
    total: str
    rules: tuple[str, ...]


class Examiner:
    """taxpayer: what the DIAN knows of a NIT: software id, PIN, ranges. documents: by key, what it has validated."""

    def __init__(self, authority: TestAuthority) -> None:
        self._authority = authority

    def examine(self, root: Element, taxpayer: Json | None, reference: Json | None) -> Examined:
        """reference: the validated document that a note names. Raises Unreadable for what is no such document."""
        kind = _local(root)
        if kind not in _ORDERS:
            raise Unreadable(kind)
        document_type = text(root, f"cbc:{kind}TypeCode")
        if document_type not in _PROFILES:
            raise Unreadable(document_type)
        nit, number = text(root, _PARTY.format("AccountingSupplierParty")), text(root, "cbc:ID")
        rules: list[str] = []
        if taxpayer is None:
            rules.append(_rule("FAJ21", "El NIT no está habilitado como facturador"))
        else:
            rules += self._structure(root, kind, document_type)
            rules += _keys(root, document_type, taxpayer, number)
            rules += _numbers(root, document_type, taxpayer, number)
            rules += _sums(root, kind)
            rules += self._signature(root, nit)
            if kind == "CreditNote" and (reference is None or reference["nit"] != nit):
                rules.append(_rule("CBG04a", "El documento referenciado no existe en los registros de la DIAN"))
        total = text(root, "cac:LegalMonetaryTotal/cbc:PayableAmount")
        return Examined(nit, number, text(root, "cbc:UUID"), document_type, total, tuple(rules))

    def _structure(self, root: Element, kind: str, document_type: str) -> Iterator[str]:
        yield from _ordered(root, _ORDERS[kind], "ZB01")
        for line in root.iterfind(f"cac:{kind}Line", NS):
            yield from _ordered(line, _LINE_ORDERS[f"{kind}Line"], "ZB01")
        profile, scheme, operation = _PROFILES[document_type]
        if text(root, "cbc:UBLVersionID") != "UBL 2.1":
            yield _rule("FAD01", "UBLVersionID no corresponde")
        if text(root, "cbc:ProfileID") != profile or text(root, "cbc:CustomizationID") != operation:
            yield _rule("FAD03", "ProfileID o CustomizationID no corresponde al tipo de documento")
        if first(root, "cbc:UUID").get("schemeName") != scheme:
            yield _rule("FAD07", "El algoritmo del UUID no corresponde")
        if not text(root, "cbc:IssueTime").endswith("-05:00"):
            yield _rule("FAD10", "La hora no es la de Colombia")
        lines = root.findall(f"cac:{kind}Line", NS)
        if text(root, "cbc:LineCountNumeric") != str(len(lines)) or not lines:
            yield _rule("FAD16", "LineCountNumeric no es la cantidad de líneas")
        groups = {
            _local(child) for child in root.iterfind("ext:UBLExtensions/ext:UBLExtension/ext:ExtensionContent/*/*", NS)
        }
        wanted = {
            "InformacionDelFabricanteDelSoftware",
            "InformacionBeneficiosComprador",
            "InformacionCajaVenta",
        }
        if document_type == "20" and not wanted <= groups:
            yield _rule("DEPD11", "Faltan extensiones del documento equivalente POS")
        if kind == "CreditNote":
            if text(root, "cac:DiscrepancyResponse/cbc:ResponseCode") not in ("1", "2", "3", "4", "5", "6"):
                yield _rule("CBF03", "El concepto de la nota no es válido")
            if not text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:UUID"):
                yield _rule("CBG03", "La nota no referencia documento alguno")
        for address in root.iterfind(".//cac:Party//cac:CountrySubentityCode/..", NS):
            city, state = text(address, "cbc:ID"), text(address, "cbc:CountrySubentityCode")
            if len(city) != 5 or not city.startswith(state):
                yield _rule("FAJ09", "El municipio no corresponde al departamento")

    def _signature(self, root: Element, nit: str) -> Iterator[str]:
        content = "ext:UBLExtensions/ext:UBLExtension/ext:ExtensionContent"
        extensions = root.findall(content, NS)
        found = root.findall(".//ds:Signature", NS)
        if len(found) != 1 or not extensions or found[0].getparent() is not extensions[-1]:
            yield _rule("ZE01", "La firma no está en la última extensión")
            return
        signature = found[0]
        cert = certificate(text(signature, "ds:KeyInfo/ds:X509Data/ds:X509Certificate"))
        der = cert.public_bytes(Encoding.DER)
        if not verifies(root, signature, der):
            yield _rule("ZE02", "Valor de la firma inválido")
            return
        info = first(signature, "ds:SignedInfo")
        properties = first(signature, "ds:Object/xades:QualifyingProperties/xades:SignedProperties")
        signed = {reference.get("URI") for reference in info.iterfind("ds:Reference", NS)}
        named = {"", f"#{first(signature, 'ds:KeyInfo').get('Id')}", f"#{properties.get('Id')}"}
        algorithms = (
            first(info, "ds:CanonicalizationMethod").get("Algorithm"),
            first(info, "ds:SignatureMethod").get("Algorithm"),
        )
        if signed != named or algorithms != (_C14N, _RSA):
            yield _rule("ZE03", "La firma no cubre el documento, el certificado y sus propiedades")
        about = first(properties, "xades:SignedSignatureProperties")
        policy = "xades:SignaturePolicyIdentifier/xades:SignaturePolicyId/"
        if (
            text(about, f"{policy}xades:SigPolicyId/xades:Identifier") != _POLICY
            or text(about, f"{policy}xades:SigPolicyHash/ds:DigestValue") != _POLICY_DIGEST
        ):
            yield _rule("ZE04", "La política de firma no es la vigente")
        cited = text(about, "xades:SigningCertificate/xades:Cert/xades:CertDigest/ds:DigestValue")
        if cited != b64encode(sha256(der).digest()).decode():
            yield _rule("ZE05", "El certificado citado no es el de la firma")
        if text(about, "xades:SignerRole/xades:ClaimedRoles/xades:ClaimedRole") not in ("supplier", "third party"):
            yield _rule("ZE06", "El rol de quien firma no es válido")
        try:
            at = datetime.fromisoformat(text(about, "xades:SigningTime"))
        except ValueError:
            yield _rule("ZE07", "La hora de la firma no es válida")
            return
        if at.tzinfo is None or at.date().isoformat() != text(root, "cbc:IssueDate"):
            yield _rule("FAD09e", "La fecha de emisión no es la de la firma")
        elif not self._authority.trusts(cert, at):
            yield _rule("ZE08", "El certificado no es de una entidad acreditada, o no está vigente")
        if nit not in cert.subject.rfc4514_string():
            yield _rule("ZE09", "El certificado no es del emisor")


def _keys(root: Element, document_type: str, taxpayer: Json, number: str) -> Iterator[str]:
    taxes = dict.fromkeys(("01", "04", "03"), Decimal(0))
    for subtotal in root.iterfind("cac:TaxTotal/cac:TaxSubtotal", NS):
        code = text(subtotal, "cac:TaxCategory/cac:TaxScheme/cbc:ID")
        taxes[code] = taxes.get(code, Decimal(0)) + _decimal(text(subtotal, "cbc:TaxAmount"))
    found = _range_of(taxpayer, document_type, number)
    secret = str(found["technicalKey"]) if document_type == "01" and found else str(taxpayer["pin"])
    environment = text(root, "cbc:ProfileExecutionID")
    parts = [number, text(root, "cbc:IssueDate"), text(root, "cbc:IssueTime")]
    parts.append(text(root, "cac:LegalMonetaryTotal/cbc:LineExtensionAmount"))
    for code in ("01", "04", "03"):
        parts += [code, f"{taxes[code]:.2f}"]
    parts.append(text(root, "cac:LegalMonetaryTotal/cbc:PayableAmount"))
    parts += [text(root, _PARTY.format(side)) for side in ("AccountingSupplierParty", "AccountingCustomerParty")]
    key = sha384("".join([*parts, secret, environment]).encode()).hexdigest()
    if key != text(root, "cbc:UUID"):
        yield _rule("FAD06", "Valor del CUFE o CUDE no está calculado correctamente")
    dian = first(root, "ext:UBLExtensions/ext:UBLExtension/ext:ExtensionContent/sts:DianExtensions")
    if text(dian, "sts:QRCode") != _CATALOGUE.format("" if environment == "1" else "-hab", key):
        yield _rule("FAB36", "El código QR no es el del documento")
    software = str(taxpayer["softwareId"])
    if text(dian, "sts:SoftwareProvider/sts:SoftwareID") != software:
        yield _rule("FAB24b", "El software no está registrado para este NIT")
    code = sha384(f"{software}{taxpayer['pin']}{number}".encode()).hexdigest()
    if text(dian, "sts:SoftwareSecurityCode") != code:
        yield _rule("FAB27b", "Huella del software no corresponde")
    if text(dian, "sts:AuthorizationProvider/sts:AuthorizationProviderID") != "800197268":
        yield _rule("FAB31", "El proveedor de autorización no es la DIAN")


def _numbers(root: Element, document_type: str, taxpayer: Json, number: str) -> Iterator[str]:
    control = root.find(".//sts:InvoiceControl", NS)
    if document_type in ("91", "94"):
        if control is not None:
            yield _rule("CAB05", "Las notas no llevan autorización de numeración")
        return
    found = _range_of(taxpayer, document_type, number)
    if found is None or control is None:
        yield _rule("FAD05c", "El número no está en un rango autorizado")
        return
    said = [text(control, f"sts:{name}") for name in ("InvoiceAuthorization",)]
    said += [text(control, f"sts:AuthorizationPeriod/cbc:{name}") for name in ("StartDate", "EndDate")]
    said += [text(control, f"sts:AuthorizedInvoices/sts:{name}") for name in ("Prefix", "From", "To")]
    if said != [str(found[name]) for name in ("resolution", "validFrom", "validTo", "prefix", "from", "to")]:
        yield _rule("FAB05b", "La autorización de numeración no es la del rango")
    if not str(found["validFrom"]) <= text(root, "cbc:IssueDate") <= str(found["validTo"]):
        yield _rule("FAB07b", "La fecha de emisión está fuera de la vigencia del rango")


def _sums(root: Element, kind: str) -> Iterator[str]:
    net = taxed = Decimal(0)
    taxes: dict[str, Decimal] = {}
    for line in root.iterfind(f"cac:{kind}Line", NS):
        amount = _decimal(text(line, "cbc:LineExtensionAmount"))
        net += amount
        quantity = _decimal(text(line, "cac:Price/cbc:BaseQuantity"))
        discount = _decimal(text(line, "cac:AllowanceCharge/cbc:Amount") or "0")
        if abs(_decimal(text(line, "cac:Price/cbc:PriceAmount")) * quantity - discount - amount) > _TOLERANCE:
            yield _rule("FAV06", "El valor de la línea no es precio por cantidad menos descuento")
        if line.find("cac:TaxTotal", NS) is not None:
            taxed += amount
        for subtotal in line.iterfind("cac:TaxTotal/cac:TaxSubtotal", NS):
            yield from _tax(subtotal, "FAX07")
            code = text(subtotal, "cac:TaxCategory/cac:TaxScheme/cbc:ID")
            taxes[code] = taxes.get(code, Decimal(0)) + _decimal(text(subtotal, "cbc:TaxAmount"))
    heads: dict[str, Decimal] = {}
    for total in root.iterfind("cac:TaxTotal", NS):
        parts = Decimal(0)
        for subtotal in total.iterfind("cac:TaxSubtotal", NS):
            yield from _tax(subtotal, "FAS07")
            code = text(subtotal, "cac:TaxCategory/cac:TaxScheme/cbc:ID")
            heads[code] = heads.get(code, Decimal(0)) + _decimal(text(subtotal, "cbc:TaxAmount"))
            parts += _decimal(text(subtotal, "cbc:TaxAmount"))
        if parts != _decimal(text(total, "cbc:TaxAmount")):
            yield _rule("FAS01", "El total del tributo no es la suma de sus tarifas")
    if heads != taxes:
        yield _rule("FAS18", "Los tributos del documento no son la suma de los de sus líneas")
    totals = first(root, "cac:LegalMonetaryTotal")
    gross = net + sum(taxes.values(), Decimal(0))
    for name, wanted, code in (
        ("LineExtensionAmount", net, "FAU02"),
        ("TaxExclusiveAmount", taxed, "FAU04"),
        ("TaxInclusiveAmount", gross, "FAU06"),
        ("PayableAmount", gross, "FAU14"),
    ):
        if _decimal(text(totals, f"cbc:{name}")) != wanted:
            yield _rule(code, f"{name} no es la suma de las líneas")


def _tax(subtotal: Element, code: str) -> Iterator[str]:
    rate = _decimal(text(subtotal, "cac:TaxCategory/cbc:Percent"))
    base = _decimal(text(subtotal, "cbc:TaxableAmount"))
    if abs(base * rate / 100 - _decimal(text(subtotal, "cbc:TaxAmount"))) > _TOLERANCE:
        yield _rule(code, "El valor del tributo no es la base por la tarifa")


def _ordered(parent: Element, order: list[str], code: str) -> Iterator[str]:
    names = [_local(child) for child in parent]
    places = [order.index(name) if name in order else -1 for name in names]
    missing = {
        name for name in order if name not in names and name not in (*_REQUIRED, "AllowanceCharge", "PricingReference")
    }
    if -1 in places or places != sorted(places) or missing:
        yield _rule(code, f"Fallo en el esquema XML del archivo: {_local(parent)}")


def _range_of(taxpayer: Json, document_type: str, number: str) -> Json | None:
    for found in taxpayer["ranges"]:
        rest = number.removeprefix(str(found["prefix"])) if number.startswith(str(found["prefix"])) else ""
        if found["documentType"] != document_type or not rest.isdecimal():
            continue
        if int(found["from"]) <= int(rest) <= int(found["to"]):
            return dict(found)
    return None


def _decimal(value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise Unreadable from None


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _rule(code: str, words: str) -> str:
    return f"Regla: {code}, Rechazo: {words}"
