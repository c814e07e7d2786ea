"""The XML of Colombian documents: published keys, golden structure, amounts to the cent; libxmlsec verifies it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID
from fiscal.co import codes, document, soap
from fiscal.co.identity import read_identity, read_nit
from fiscal.co.keys import KeyParts, document_key, security_code
from fiscal.co.order import Issuer, Order, Policy, Signer, Software
from fiscal.document import Address, DocumentKind, Line, Receiver, Reference, Tax, TaxKind
from fiscal.errors import Rejected
from fiscal.profile import NumberStock
from fiscal.testing.fake import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Money
from lxml import etree

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
COP = Country.CO.currency
NS = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
NIT = read_nit("900123456-8")
BOGOTA = Address(street="Calle 1", city="Bogotá", city_code="11001", state="Bogotá D.C.", postal_code="110111")


@cache
def signer() -> Signer:
    """A certificate of nobody's, made anew for every run."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Prueba 900123456")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    return Signer(pkcs12.serialize_key_and_certificates(b"fe", key, certificate, None, NoEncryption()), b"")


def order(kind: DocumentKind = DocumentKind.TICKET, **changes: Any) -> Order:
    assert NIT is not None
    values: dict[str, Any] = {"id": UUID(int=5)} | changes
    made = sample(kind, country=Country.CO, at=AT, **values)
    document_type = codes.type_of(kind, made.reference.kind if made.reference else None)
    noted = kind is DocumentKind.CREDIT_NOTE
    return Order(
        document=made,
        document_type=document_type,
        prefix="NA" if noted else "POS",
        number=42,
        stock=None
        if noted
        else NumberStock("", 1, 100, "1876", date(2026, 1, 1), date(2027, 1, 1), b"693ff6f2a553c3646a063436"),
        issuer=Issuer(NIT, "Café & Cía S.A.S.", "", "O-13", BOGOTA, company=True),
        software=Software("56f2ae4e-9812-4fad-9255-08fcfcd5ccb0", "12345", "Cobro", "Cobro", "Cobro"),
        policy=Policy("https://politica.example/v2.pdf", "dMoMvtcG5aIzgYo0tIsSQeVJBDnUnfSOfBpxXrmor0Y="),
        environment="2",
        register="1",
        signer=signer(),
    )


def built(made: Order) -> etree._Element:
    return etree.fromstring(document.build(made).payload)


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path, NS)]


def test_the_published_keys() -> None:
    cufe = KeyParts(
        number="323200000129",
        date="2019-01-16",
        time="10:53:10-05:00",
        net=Decimal("1500000.00"),
        vat=Decimal("285000.00"),
        consumption=Decimal(0),
        total=Decimal("1785000.00"),
        issuer="700085371",
        receiver="800199436",
        secret="693ff6f2a553c3646a063436fd4dd9ded0311471",
        environment="1",
    )
    assert document_key(cufe) == (
        "8bb918b19ba22a694f1da11c643b5e9de39adf60311cf179179e9b33381030bcd4c3c3f156c506ed5908f9276f5bd9b4"
    )
    cude = KeyParts(
        number="8110007871",
        date="2019-01-12",
        time="07:00:00-05:00",
        net=Decimal("5000.00"),
        vat=Decimal("950.00"),
        consumption=Decimal(0),
        total=Decimal("5950.00"),
        issuer="900373076",
        receiver="8355990",
        secret="12301",
        environment="1",
    )
    assert document_key(cude) == (
        "907e4444decc9e59c160a2fb3b6659b33dc5b632a5008922b9a62f83f757b1c448e47f5867f2b50dbdb96f48c7681168"
    )
    assert len(security_code("a", "b", "c")) == 96
    assert "693ff6" not in repr(cufe)


def test_the_golden_form_of_a_pos_document() -> None:
    root = built(order())
    assert [etree.QName(child).localname for child in root] == [
        *("UBLExtensions", "UBLVersionID", "CustomizationID", "ProfileID", "ProfileExecutionID", "ID", "UUID"),
        *("IssueDate", "IssueTime", "InvoiceTypeCode", "DocumentCurrencyCode", "LineCountNumeric"),
        *("AccountingSupplierParty", "AccountingCustomerParty", "PaymentMeans", "TaxTotal", "LegalMonetaryTotal"),
        *("InvoiceLine", "InvoiceLine"),
    ]
    heads = ("ProfileID", "ID", "IssueDate", "IssueTime", "InvoiceTypeCode", "DocumentCurrencyCode")
    assert [texts(root, f"cbc:{name}") for name in heads] == [
        # 01:30 UTC is the evening before in Colombia.
        *(["DIAN 2.1: Documento Equivalente POS"], ["POS42"], ["2026-03-01"], ["20:30:00-05:00"], ["20"], ["COP"])
    ]
    assert texts(root, "cac:LegalMonetaryTotal/*") == ["195.42", "150.42", "224.00", "224.00"]
    assert texts(root, "cac:TaxTotal/cac:TaxSubtotal/*")[:2] == ["150.42", "28.58"]
    assert texts(root, "cac:AccountingCustomerParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID") == ["222222222222"]
    assert texts(root, "cac:InvoiceLine/cac:Item/cbc:Description") == ["Café de olla & canela 500 g", "Libro"]
    # Not subject to tax: no tax is reported.
    assert len(root.findall("cac:InvoiceLine/cac:TaxTotal", NS)) == 1


def test_a_note_names_what_it_takes_back_and_has_no_authorisation() -> None:
    reference = Reference(
        kind=DocumentKind.TICKET,
        document_type="20",
        series="20-POS",
        number=7,
        fiscal_id="f" * 96,
        issued_on=date(2026, 3, 1),
    )
    made = order(DocumentKind.CREDIT_NOTE, reference=reference)
    root = built(made)
    assert etree.QName(root).localname == "CreditNote"
    assert texts(root, "cbc:CreditNoteTypeCode") == ["94"]
    assert texts(root, "cac:DiscrepancyResponse/*") == ["POS7", "2", "Anulación"]
    assert texts(root, "cac:BillingReference/cac:InvoiceDocumentReference/*") == ["POS7", "f" * 96, "2026-03-01", "20"]
    assert b"InvoiceControl" not in document.build(made).payload


def test_libxmlsec_verifies_it_and_nothing_else() -> None:
    payload = document.build(order()).payload

    def verify(content: bytes) -> None:
        root = etree.fromstring(content)
        xmlsec.tree.add_ids(root, ["Id"])
        signature = root.find(".//ds:Signature", NS)
        assert signature is not None
        assert len(signature.findall("ds:SignedInfo/ds:Reference", NS)) == 3
        certificate, _ = soap.opened(signer())
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(
            certificate.public_bytes(Encoding.DER), xmlsec.constants.KeyDataFormatCertDer
        )
        context.verify(signature)

    verify(payload)
    for part in (b"Libro", b"2026-03-01T20:30:00-05:00", b"<xades:ClaimedRole>supplier"):
        assert part in payload
        with pytest.raises(xmlsec.Error):
            verify(payload.replace(part, part[:-1] + b"x", 1))
    assert document.build(order()).payload == payload


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.integers(1, 20),
            st.integers(1, 9_999_999),
            st.integers(0, 99),
            st.sampled_from([None, "0", "0.05", "0.19", "0.08"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_sum_is_what_was_charged_to_the_cent(lines: list[tuple[int, int, int, str | None]]) -> None:
    made = []
    for quantity, price, percent, rate in lines:
        gross = Money(price * quantity - price * quantity * percent // 100, COP)
        taxes: tuple[Tax, ...] = ()
        if rate is not None:
            kind = TaxKind.CONSUMPTION if rate == "0.08" else TaxKind.VAT
            taxes = (Tax(kind=kind, rate=Decimal(rate), amount=gross.included_tax(Decimal(rate))),)
        list_price = Money(price, COP)
        made.append(
            Line(
                description="Algo",
                quantity=Decimal(quantity),
                unit_price=list_price,
                discount=list_price * quantity - gross,
                gross=gross,
                taxes=taxes,
            )
        )
    root = built(order(lines=tuple(made), payments=()))
    charged = sum((line.gross.decimal for line in made), Decimal(0))
    net, _, inclusive, payable = (Decimal(text) for text in texts(root, "cac:LegalMonetaryTotal/*"))
    taxed = sum((Decimal(text) for text in texts(root, "cac:TaxTotal/cbc:TaxAmount")), Decimal(0))
    assert payable == inclusive == charged == net + taxed
    assert net == sum((Decimal(text) for text in texts(root, "cac:InvoiceLine/cbc:LineExtensionAmount")), Decimal(0))
    for line in root.iterfind("cac:InvoiceLine", NS):
        cost = Decimal(texts(line, "cac:Price/cbc:PriceAmount")[0]) * Decimal(
            texts(line, "cac:Price/cbc:BaseQuantity")[0]
        )
        discount = Decimal((texts(line, "cac:AllowanceCharge/cbc:Amount") or ["0"])[0])
        assert abs(cost - discount - Decimal(texts(line, "cbc:LineExtensionAmount")[0])) < 1


@settings(max_examples=40, deadline=None)
@given(words=st.text(max_size=60))
def test_no_text_breaks_the_xml(words: str) -> None:
    made = order(DocumentKind.INVOICE, receiver=Receiver(name=words, tax_id="1032456789"))
    if words.strip().encode("utf-8", "replace"):
        assert texts(built(made), "cac:AccountingCustomerParty/cac:Party/cac:PartyName/cbc:Name")


def test_nothing_charged_and_nobody_known_are_refused() -> None:
    free = Line(description="Regalo", quantity=1, unit_price=Money(0, COP), discount=Money(0, COP), gross=Money(0, COP))
    for changes in ({"lines": (free,), "payments": ()}, {"receiver": Receiver(name="Ana", tax_id="no soy nadie")}):
        with pytest.raises(Rejected):
            document.build(order(DocumentKind.TICKET, **changes))


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("900123456-8", "", ("31", "900123456", "8")),
        ("800.197.268-4", "NIT", ("31", "800197268", "4")),
        ("1032456789", "", ("13", "1032456789", "")),
        ("AB12345", "PP", ("41", "AB12345", "")),
        ("800197268-5", "NIT", None),
        ("222222222222", "", None),
        ("1032456789", "XX", None),
        ("12a45", "CC", None),
        ("٣٤٥٦٧٨٩", "CC", None),
        ("", "", None),
    ],
)
def test_who_a_buyer_is(text: str, kind: str, expected: tuple[str, str, str] | None) -> None:
    found = read_identity(text, kind)
    assert (found and (found.kind, found.number, found.digit)) == expected


@pytest.mark.parametrize("body", [b"", b"<a/>", b"no xml", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"\x00"])
def test_what_is_no_answer_is_none(body: bytes) -> None:
    assert soap.read(body) is None
