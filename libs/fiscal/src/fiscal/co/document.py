"""UBL 2.1: an order to the signed XML of the DIAN. Pure; runs in the workshop.

Elements stand in the order of the UBL schemas (Invoice-2, CreditNote-2); the DIAN checks it before anything else.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from lxml import etree

from fiscal.co import codes, signing
from fiscal.co.amounts import Amounts, TaxSum, UblLine, amounts_of, price, two
from fiscal.co.identity import FINAL_CONSUMER, Identity, read_identity
from fiscal.co.keys import KeyParts, document_key, link, security_code
from fiscal.co.order import Built, Order
from fiscal.document import Address, DocumentKind, Receiver, TaxKind
from fiscal.errors import Message, Rejected

Element = etree._Element

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC: Final = f"{_UBL}CommonAggregateComponents-2"
CBC: Final = f"{_UBL}CommonBasicComponents-2"
EXT: Final = f"{_UBL}CommonExtensionComponents-2"
STS: Final = "dian:gov:co:facturaelectronica:Structures-2-1"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_SPACES: Final[dict[str | None, str]] = {"cac": CAC, "cbc": CBC, "ext": EXT, "sts": STS, "ds": DS, "xades": XADES}

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AGENCY: Final = {"schemeAgencyID": "195", "schemeAgencyName": codes.AGENCY}


def build(order: Order) -> Built:
    """Raises Rejected for what cannot be documented, BadProfile for a certificate that cannot be used."""
    return _Writer(order).written()


class _Writer:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._document = order.document
        self._form = codes.FORMS[order.document_type]
        self._amounts: Amounts = amounts_of(order.document)
        self._local = order.document.local_time.replace(microsecond=0)
        self._receiver = _identity(order.document.receiver)
        self._date = self._local.date().isoformat()
        self._time = self._local.strftime("%H:%M:%S") + _offset(self._local.strftime("%z"))
        self._key = document_key(
            KeyParts(
                number=order.full_number,
                date=self._date,
                time=self._time,
                net=self._amounts.net,
                vat=self._amounts.tax(TaxKind.VAT),
                consumption=self._amounts.tax(TaxKind.CONSUMPTION),
                total=self._amounts.total,
                issuer=order.issuer.nit.number,
                receiver=self._receiver.number,
                secret=self._secret(),
                environment=order.environment,
            )
        )

    def written(self) -> Built:
        namespace = f"{_UBL}{self._form.root}-2"
        spaces = _SPACES | {None: namespace}
        # The stubs know no default namespace.
        root = etree.Element(f"{{{namespace}}}{self._form.root}", nsmap=spaces)  # type: ignore[arg-type]
        place = self._extensions(root)
        self._head(root)
        self._party(root)
        self._customer(root)
        self._payment(root)
        self._taxes(root, self._amounts.taxes)
        self._totals(root)
        for index, line in enumerate(self._amounts.lines, start=1):
            self._line(root, index, line)
        signed = signing.sign(root, place, self._order.signer, self._order.policy, self._local, self._document.id)
        return Built(etree.tostring(signed, xml_declaration=True, encoding="UTF-8", standalone=False), self._key)

    def _secret(self) -> str:
        stock = self._order.stock
        if self._order.document_type == codes.INVOICE and stock is not None:
            return stock.content.decode()
        return self._order.software.pin

    # Extensions

    def _extensions(self, root: Element) -> Element:
        """Those of the DIAN, those of a POS document, and last the place of the signature, which is returned."""
        extensions = _add(root, EXT, "UBLExtensions")
        self._dian(_content(extensions))
        if self._order.document_type == codes.POS:
            software, receiver = self._order.software, self._document.receiver
            self._pairs(
                extensions,
                ("FabricanteSoftware", "InformacionDelFabricanteDelSoftware"),
                (
                    ("NombreApellido", software.maker_name),
                    ("RazonSocial", software.maker_company),
                    ("NombreSoftware", software.maker_software),
                ),
            )
            self._pairs(
                extensions,
                ("BeneficiosComprador", "InformacionBeneficiosComprador"),
                (
                    ("Codigo", self._receiver.number),
                    ("NombresApellidos", receiver.name if receiver else codes.FINAL_CONSUMER_NAME),
                    ("Puntos", "0"),
                ),
            )
            # With their accents: the DIAN compares these names to the letter.
            self._pairs(
                extensions,
                ("PuntoVenta", "InformacionCajaVenta"),
                (
                    ("PlacaCaja", self._order.register),
                    ("UbicaciónCaja", self._order.issuer.address.street),
                    ("Cajero", self._order.register),
                    ("TipoCaja", "POS"),
                    ("CódigoVenta", self._order.full_number),
                    ("SubTotal", two(self._amounts.net)),
                ),
            )
        return _content(extensions)

    def _dian(self, content: Element) -> None:
        order = self._order
        dian = _add(content, STS, "DianExtensions")
        if order.stock is not None:
            control = _add(dian, STS, "InvoiceControl")
            _add(control, STS, "InvoiceAuthorization", order.stock.authorization)
            period = _add(control, STS, "AuthorizationPeriod")
            _add(period, CBC, "StartDate", order.stock.valid_from.isoformat() if order.stock.valid_from else "")
            _add(period, CBC, "EndDate", order.stock.expires_on.isoformat() if order.stock.expires_on else "")
            authorized = _add(control, STS, "AuthorizedInvoices")
            if order.prefix:
                _add(authorized, STS, "Prefix", order.prefix)
            _add(authorized, STS, "From", str(order.stock.first))
            _add(authorized, STS, "To", str(order.stock.last))
        source = _add(dian, STS, "InvoiceSource")
        _add(
            source,
            CBC,
            "IdentificationCode",
            "CO",
            listAgencyID="6",
            listAgencyName="United Nations Economic Commission for Europe",
            listSchemeURI="urn:oasis:names:specification:ubl:codelist:gc:CountryIdentificationCode-2.1",
        )
        provider = _add(dian, STS, "SoftwareProvider")
        _add(
            provider,
            STS,
            "ProviderID",
            order.issuer.nit.number,
            schemeID=order.issuer.nit.digit,
            schemeName="31",
            **_AGENCY,
        )
        _add(provider, STS, "SoftwareID", order.software.id, **_AGENCY)
        code = security_code(order.software.id, order.software.pin, order.full_number)
        _add(dian, STS, "SoftwareSecurityCode", code, **_AGENCY)
        authority = _add(dian, STS, "AuthorizationProvider")
        _add(
            authority,
            STS,
            "AuthorizationProviderID",
            codes.DIAN_NIT,
            schemeID=codes.DIAN_DIGIT,
            schemeName="31",
            **_AGENCY,
        )
        _add(dian, STS, "QRCode", link(self._key, order.environment))

    def _pairs(self, extensions: Element, names: tuple[str, str], pairs: tuple[tuple[str, str], ...]) -> None:
        """In the namespace of the document itself, as the annex's examples have it."""
        namespace = f"{_UBL}{self._form.root}-2"
        group = _add(_add(_content(extensions), namespace, names[0]), namespace, names[1])
        for name, value in pairs:
            _add(group, namespace, "Name", name)
            _add(group, namespace, "Value", value or "-")

    # Head

    def _head(self, root: Element) -> None:
        order, form = self._order, self._form
        _add(root, CBC, "UBLVersionID", "UBL 2.1")
        _add(root, CBC, "CustomizationID", form.operation)
        _add(root, CBC, "ProfileID", form.profile)
        _add(root, CBC, "ProfileExecutionID", order.environment)
        _add(root, CBC, "ID", order.full_number)
        _add(root, CBC, "UUID", self._key, schemeID=order.environment, schemeName=form.scheme)
        _add(root, CBC, "IssueDate", self._date)
        _add(root, CBC, "IssueTime", self._time)
        _add(root, CBC, form.type_element, order.document_type)
        _add(root, CBC, "DocumentCurrencyCode", self._document.currency.value)
        _add(root, CBC, "LineCountNumeric", str(len(self._amounts.lines)))
        self._references(root)

    def _references(self, root: Element) -> None:
        reference = self._document.reference
        if reference is None:
            return
        number = reference.series.partition("-")[2] + str(reference.number)
        if self._document.kind is DocumentKind.CREDIT_NOTE:
            response = _add(root, CAC, "DiscrepancyResponse")
            _add(response, CBC, "ReferenceID", number)
            _add(response, CBC, "ResponseCode", codes.VOIDED if reference.full else codes.PARTIAL_RETURN)
            _add(response, CBC, "Description", reference.reason or ("Anulación" if reference.full else "Devolución"))
        billing = _add(_add(root, CAC, "BillingReference"), CAC, "InvoiceDocumentReference")
        _add(billing, CBC, "ID", number)
        scheme = codes.FORMS.get(reference.document_type, codes.FORMS[codes.INVOICE]).scheme
        _add(billing, CBC, "UUID", reference.fiscal_id, schemeName=scheme)
        _add(billing, CBC, "IssueDate", reference.issued_on.isoformat())
        if reference.document_type == codes.POS:
            _add(billing, CBC, "DocumentTypeCode", codes.POS)

    # Parties

    def _party(self, root: Element) -> None:
        issuer = self._order.issuer
        supplier = _add(root, CAC, "AccountingSupplierParty")
        _add(supplier, CBC, "AdditionalAccountID", "1" if issuer.company else "2")
        party = _add(supplier, CAC, "Party")
        _add(_add(party, CAC, "PartyName"), CBC, "Name", issuer.trade_name or issuer.legal_name)
        _address(_add(_add(party, CAC, "PhysicalLocation"), CAC, "Address"), issuer.address)
        scheme = _add(party, CAC, "PartyTaxScheme")
        _add(scheme, CBC, "RegistrationName", issuer.legal_name)
        _company(scheme, issuer.nit)
        _add(scheme, CBC, "TaxLevelCode", issuer.responsibilities, listName="48" if self._amounts.taxes else "49")
        _address(_add(scheme, CAC, "RegistrationAddress"), issuer.address)
        _tax_scheme(scheme, next((codes.TAXES[kind] for kind in self._amounts.taxes), codes.NO_TAX))
        legal = _add(party, CAC, "PartyLegalEntity")
        _add(legal, CBC, "RegistrationName", issuer.legal_name)
        _company(legal, issuer.nit)
        if self._order.prefix:
            _add(_add(legal, CAC, "CorporateRegistrationScheme"), CBC, "ID", self._order.prefix)

    def _customer(self, root: Element) -> None:
        receiver, identity = self._document.receiver, self._receiver
        name = receiver.name if receiver else codes.FINAL_CONSUMER_NAME
        customer = _add(root, CAC, "AccountingCustomerParty")
        _add(customer, CBC, "AdditionalAccountID", "1" if identity.is_company else "2")
        party = _add(customer, CAC, "Party")
        _add(_add(party, CAC, "PartyIdentification"), CBC, "ID", identity.number, **_scheme(identity))
        _add(_add(party, CAC, "PartyName"), CBC, "Name", name)
        if receiver is not None and receiver.address.city_code:
            _address(_add(_add(party, CAC, "PhysicalLocation"), CAC, "Address"), receiver.address)
        scheme = _add(party, CAC, "PartyTaxScheme")
        _add(scheme, CBC, "RegistrationName", name)
        _company(scheme, identity)
        regime = receiver.regime if receiver else ""
        _add(scheme, CBC, "TaxLevelCode", regime or codes.NO_RESPONSIBILITY, listName="49")
        _tax_scheme(scheme, codes.TAXES[TaxKind.VAT] if identity.is_company else codes.NO_TAX)
        legal = _add(party, CAC, "PartyLegalEntity")
        _add(legal, CBC, "RegistrationName", name)
        _company(legal, identity)
        if receiver is not None and receiver.email:
            _add(_add(party, CAC, "Contact"), CBC, "ElectronicMail", receiver.email)

    def _payment(self, root: Element) -> None:
        forms = [payment.form for payment in self._document.payments]
        for code in dict.fromkeys(codes.PAYMENT_MEANS[form] for form in forms) or ("1",):
            means = _add(root, CAC, "PaymentMeans")
            _add(means, CBC, "ID", "1")
            _add(means, CBC, "PaymentMeansCode", code)

    # Amounts

    def _taxes(self, parent: Element, taxes: dict[TaxKind, tuple[TaxSum, ...]]) -> None:
        for kind, sums in taxes.items():
            total = _add(parent, CAC, "TaxTotal")
            self._money(total, "TaxAmount", sum((item.amount for item in sums), Decimal(0)))
            for item in sums:
                subtotal = _add(total, CAC, "TaxSubtotal")
                self._money(subtotal, "TaxableAmount", item.base)
                self._money(subtotal, "TaxAmount", item.amount)
                category = _add(subtotal, CAC, "TaxCategory")
                _add(category, CBC, "Percent", two(item.rate * 100))
                _tax_scheme(category, codes.TAXES[kind])

    def _totals(self, root: Element) -> None:
        amounts = self._amounts
        totals = _add(root, CAC, "LegalMonetaryTotal")
        self._money(totals, "LineExtensionAmount", amounts.net)
        self._money(totals, "TaxExclusiveAmount", amounts.taxed)
        self._money(totals, "TaxInclusiveAmount", amounts.total)
        self._money(totals, "PayableAmount", amounts.total)

    def _line(self, root: Element, index: int, item: UblLine) -> None:
        line = item.line
        element = _add(root, CAC, self._form.line)
        _add(element, CBC, "ID", str(index))
        unit = line.unit_code or codes.UNIT
        _add(element, CBC, self._form.quantity, f"{line.quantity.normalize():f}", unitCode=unit)
        self._money(element, "LineExtensionAmount", item.net)
        _add(element, CBC, "FreeOfChargeIndicator", "false" if line.gross else "true")
        if not line.gross:
            # What costs nothing says what it usually costs (13.3.8: 01, its price).
            usual = _add(_add(element, CAC, "PricingReference"), CAC, "AlternativeConditionPrice")
            _add(usual, CBC, "PriceAmount", price(item.price), currencyID=self._document.currency.value)
            _add(usual, CBC, "PriceTypeCode", "01")
        # Of a credit note's line, UBL wants the taxes first.
        parts = (self._discount, self._line_taxes)
        for part in parts if self._form.root == "Invoice" else reversed(parts):
            part(element, item)
        goods = _add(element, CAC, "Item")
        _add(goods, CBC, "Description", line.description or "Producto")
        if line.sku:
            _add(_add(goods, CAC, "SellersItemIdentification"), CBC, "ID", line.sku)
        # 999: the taxpayer's own numbering (13.3.5).
        own = line.product_code or line.sku or str(index)
        _add(
            _add(goods, CAC, "StandardItemIdentification"),
            CBC,
            "ID",
            own,
            schemeID="999",
            schemeName="Estándar de adopción del contribuyente",
        )
        cost = _add(element, CAC, "Price")
        _add(cost, CBC, "PriceAmount", price(item.price), currencyID=self._document.currency.value)
        _add(cost, CBC, "BaseQuantity", f"{line.quantity.normalize():f}", unitCode=unit)

    def _discount(self, element: Element, item: UblLine) -> None:
        if not item.discount:
            return
        charge = _add(element, CAC, "AllowanceCharge")
        _add(charge, CBC, "ID", "1")
        _add(charge, CBC, "ChargeIndicator", "false")
        _add(charge, CBC, "AllowanceChargeReason", "Descuento")
        _add(charge, CBC, "MultiplierFactorNumeric", two(item.discount / item.base * 100))
        self._money(charge, "Amount", item.discount)
        self._money(charge, "BaseAmount", item.base)

    def _line_taxes(self, element: Element, item: UblLine) -> None:
        for tax in item.line.taxes:
            self._taxes(element, {tax.kind: (TaxSum(tax.rate, item.net, tax.amount.decimal),)})

    def _money(self, parent: Element, name: str, value: Decimal) -> None:
        _add(parent, CBC, name, two(value), currencyID=self._document.currency.value)


def _add(parent: Element, namespace: str, name: str, text: str | None = None, **attributes: str) -> Element:
    element = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)
    if text is not None:
        element.text = _NO_XML.sub("", text)
    return element


def _content(extensions: Element) -> Element:
    return _add(_add(extensions, EXT, "UBLExtension"), EXT, "ExtensionContent")


def _identity(receiver: Receiver | None) -> Identity:
    if receiver is None:
        return FINAL_CONSUMER
    identity = read_identity(receiver.tax_id, receiver.tax_id_kind)
    if identity is None:
        raise Rejected([Message("tax_id", "La identificación del comprador no es válida")])
    return identity


def _scheme(identity: Identity) -> dict[str, str]:
    digit = {"schemeID": identity.digit} if identity.digit else {}
    return {**_AGENCY, **digit, "schemeName": identity.kind}


def _company(parent: Element, identity: Identity) -> None:
    _add(parent, CBC, "CompanyID", identity.number, **_scheme(identity))


def _tax_scheme(parent: Element, code: tuple[str, str]) -> None:
    scheme = _add(parent, CAC, "TaxScheme")
    _add(scheme, CBC, "ID", code[0])
    _add(scheme, CBC, "Name", code[1])


def _address(element: Element, address: Address) -> None:
    _add(element, CBC, "ID", address.city_code)
    _add(element, CBC, "CityName", address.city)
    if address.postal_code:
        _add(element, CBC, "PostalZone", address.postal_code)
    _add(element, CBC, "CountrySubentity", address.state)
    _add(element, CBC, "CountrySubentityCode", address.city_code[:2])
    _add(_add(element, CAC, "AddressLine"), CBC, "Line", address.street)
    country = _add(element, CAC, "Country")
    _add(country, CBC, "IdentificationCode", address.country_code or "CO")
    _add(country, CBC, "Name", "Colombia", languageID="es")


def _offset(text: str) -> str:
    """-0500 to -05:00."""
    return f"{text[:3]}:{text[3:]}"
