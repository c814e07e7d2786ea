"""What a Chilean document says and how it is sealed, seen by others: libxmlsec, cl-sii's parser and schema, OpenSSL."""

from __future__ import annotations

import base64
import re
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xmlsec
from fiscal.cl import caf, document, kinds, signing
from fiscal.cl.emitter import Emitter
from fiscal.cl.text import plain
from fiscal.document import Address, DocumentKind, FiscalDocument, Line, Receiver, Reference, Tax, TaxKind
from fiscal.errors import Rejected
from fiscal.profile import Environment
from fiscal.testing.fake import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Currency, Money
from lxml import etree
from twins.authorities.sii.keys import Keys
from twins.store import Store

AT = datetime(2026, 1, 15, 18, 0, tzinfo=UTC)
RUT = "76192083-9"
BUYER = Receiver(
    name="Comercial “Ñandú” & O’Higgins Ltda.",
    tax_id="77.777.777-7",
    use="Venta al por menor",
    address=Address(street="Av. Providencia 1234", district="Providencia", city="Santiago"),
)
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(Store())


@pytest.fixture(scope="module")
def emitter(keys: Keys) -> Emitter:
    file, password = keys.certificate("12345678-5", "Juana Pérez", 300)
    return Emitter(
        tax_id=RUT,
        sender="12345678-5",
        legal_name="Café & Té SpA",
        activity="Cafetería",
        activity_code="561000",
        branch_code="",
        street="Alameda 100",
        commune="Santiago",
        city="Santiago",
        resolution_date="2014-08-22",
        resolution_number="80",
        environment=Environment.TEST,
        pkcs12=file,
        password=password.encode(),
    )


@pytest.fixture(scope="module")
def cafs(keys: Keys) -> dict[str, bytes]:
    return {kind: keys.caf(RUT, "Café & Té SpA", int(kind), 1, 100, date(2026, 1, 1)) for kind in kinds.TITLES}


def content(kind: DocumentKind, **changes: Any) -> FiscalDocument:
    if kind is DocumentKind.INVOICE:
        changes = {"receiver": BUYER, **changes}
    if kind is DocumentKind.CREDIT_NOTE:
        reference = Reference(
            kind=DocumentKind.TICKET,
            document_type="39",
            series="39",
            number=7,
            fiscal_id="T39F7",
            issued_on=date(2026, 1, 14),
            full=False,
        )
        changes = {"reference": reference, **changes}
    fixed = {"id": UUID("0199c5a2-0000-7000-8000-000000000001"), "country": Country.CL, "at": AT}
    return sample(kind, **fixed, **changes)


def verified(parent: etree._Element) -> None:
    """By libxmlsec; raises where a signature does not hold."""
    xmlsec.tree.add_ids(parent, ["ID"])
    signature = parent.find(f"{DS}Signature")
    assert signature is not None
    held = base64.b64decode(signature.findtext(f".//{DS}X509Certificate") or "")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(held, xmlsec.constants.KeyDataFormatCertDer)
    context.verify(signature)


GOLDEN = (
    '<Documento ID="T39F7"><Encabezado><IdDoc><TipoDTE>39</TipoDTE><Folio>7</Folio><FchEmis>2026-01-15</FchEmis>'
    "<IndServicio>3</IndServicio></IdDoc><Emisor><RUTEmisor>76192083-9</RUTEmisor><RznSocEmisor>Café &amp; Té SpA"
    "</RznSocEmisor><GiroEmisor>Cafetería</GiroEmisor><DirOrigen>Alameda 100</DirOrigen><CmnaOrigen>Santiago"
    "</CmnaOrigen><CiudadOrigen>Santiago</CiudadOrigen></Emisor><Receptor><RUTRecep>66666666-6</RUTRecep>"
    "<RznSocRecep>CONSUMIDOR FINAL</RznSocRecep></Receptor><Totales><MntNeto>15042</MntNeto><MntExe>4500</MntExe>"
    "<IVA>2858</IVA><MntTotal>22400</MntTotal></Totales></Encabezado><Detalle><NroLinDet>1</NroLinDet><CdgItem>"
    "<TpoCodigo>INT1</TpoCodigo><VlrCodigo>CAFE-500</VlrCodigo></CdgItem><NmbItem>Café de olla &amp; canela 500 g"
    "</NmbItem><QtyItem>2</QtyItem><PrcItem>8950</PrcItem><MontoItem>17900</MontoItem></Detalle><Detalle>"
    "<NroLinDet>2</NroLinDet><IndExe>1</IndExe><NmbItem>Libro</NmbItem><QtyItem>1</QtyItem><PrcItem>4500</PrcItem>"
    "<MontoItem>4500</MontoItem></Detalle>"
)


def test_a_boleta_says_exactly_this(emitter: Emitter) -> None:
    draft = document.draft(emitter, content(DocumentKind.TICKET), "39", 7)
    assert draft.before == GOLDEN
    assert draft.after == "<TmstFirma>2026-01-15T15:00:00</TmstFirma></Documento>"
    assert draft.data == (
        "<RE>76192083-9</RE><TD>39</TD><F>7</F><FE>2026-01-15</FE><RR>66666666-6</RR><RSR>CONSUMIDOR FINAL</RSR>"
        "<MNT>22400</MNT><IT1>Café de olla &amp; canela 500 g</IT1>"
    )


# cl-sii imports what its parser says will go.
@pytest.mark.filterwarnings("ignore:defusedxml.lxml:DeprecationWarning")
@pytest.mark.parametrize("kind", [DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE])
def test_siis_own_schema_and_another_parser_read_what_is_signed(
    kind: DocumentKind, emitter: Emitter, cafs: dict[str, bytes]
) -> None:
    """cl-sii brings DTE_v10.xsd, which knows no boletas."""
    from cl_sii.dte.parse import parse_dte_xml, validate_dte_xml
    from cl_sii.libs.xml_utils import parse_untrusted_xml

    told = content(kind)
    code = kinds.document_type(told)
    payload = signing.signed_document(emitter, told, code, 7, cafs[code])
    root = parse_untrusted_xml(payload)
    validate_dte_xml(root)
    read = parse_dte_xml(root)
    assert (str(read.emisor_rut), read.tipo_dte.value, read.folio) == (RUT, int(code), 7)
    assert (read.fecha_emision_date, read.monto_total) == (date(2026, 1, 15), 22400)
    assert str(read.receptor_rut) == ("77777777-7" if kind is DocumentKind.INVOICE else "66666666-6")


@pytest.mark.parametrize("kind", [DocumentKind.TICKET, DocumentKind.INVOICE])
def test_every_signature_holds_alone_and_in_its_envelope_until_something_is_changed(
    kind: DocumentKind, emitter: Emitter, cafs: dict[str, bytes]
) -> None:
    told = content(kind)
    code = kinds.document_type(told)
    payloads = tuple(signing.signed_document(emitter, told, code, folio, cafs[code]) for folio in (7, 8))
    for payload in payloads:
        verified(etree.fromstring(payload))
    envelope = signing.envelope(emitter, payloads, "2026-01-15T15:00:01")
    root = etree.fromstring(envelope)
    verified(root)
    inside = root.findall(".//{http://www.sii.cl/SiiDte}DTE")
    assert len(inside) == 2
    for part in inside:
        verified(part)
    with pytest.raises(xmlsec.Error):
        verified(etree.fromstring(payloads[0].replace(b"<MontoItem>4500", b"<MontoItem>4501")))
    with pytest.raises(xmlsec.Error):
        verified(etree.fromstring(envelope.replace(b"<NroDTE>2<", b"<NroDTE>3<")))


def test_openssl_verifies_the_seal_over_the_bytes_as_they_are_printed(
    emitter: Emitter, cafs: dict[str, bytes], tmp_path: Path
) -> None:
    """With the public key of the CAF's file, of 512 bits; quotes, which readers spell in two ways, are not in it."""
    payload = signing.signed_document(emitter, content(DocumentKind.INVOICE), "33", 7, cafs["33"])
    seal = document.seal_text(payload).encode("latin-1")
    data = re.search(rb"<DD>.*</DD>", seal)
    mark = re.search(rb'<FRMT algoritmo="SHA1withRSA">(.*)</FRMT>', seal)
    public = re.search(rb"<RSAPUBK>(.*)</RSAPUBK>", cafs["33"], re.DOTALL)
    assert data
    assert mark
    assert public
    assert "<RSR>Comercial ¨Ñandú¨ &amp; O´Higgins Ltda.</RSR>".encode("latin-1") in data.group()
    assert re.search(rb">\s+<", data.group()) is None
    for name, held in (("data", data.group()), ("mark", base64.b64decode(mark[1])), ("key", public[1])):
        (tmp_path / name).write_bytes(held)
    command = ["openssl", "dgst", "-sha1", "-verify", "key", "-signature", "mark", "data"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "Verified OK"
    (tmp_path / "data").write_bytes(data.group().replace(b"<MNT>22400", b"<MNT>22401"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_a_caf_is_read_whatever_its_encoding_and_refused_with_anothers_key(cafs: dict[str, bytes]) -> None:
    known = caf.parse(cafs["39"])
    assert (known.issuer, known.document_type, known.first, known.last) == (RUT, "39", 1, 100)
    assert known.key().key_size == 512
    assert caf.parse(cafs["39"].decode("latin-1").encode()) == known
    key = re.compile(rb"<RSASK>.*</RSASK>", re.DOTALL)
    swapped = key.sub(key.findall(cafs["33"])[0], cafs["39"])
    for broken in (
        swapped,
        cafs["39"].replace(b"<D>1<", b"<D>101<"),
        cafs["39"].replace(b"AUTORIZACION", b"AUTORIZACIoN"),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + cafs["39"],
        b"\x00",
        b"",
        "<a>\ud800</a>".encode("utf-8", "surrogatepass"),
    ):
        with pytest.raises(caf.BadCaf):
            caf.parse(broken)


PESOS = st.integers(min_value=1, max_value=9_000_000)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    quantity, unit = draw(st.integers(1, 99)), draw(PESOS)
    discount = draw(st.integers(0, quantity * unit))
    gross = Money(quantity * unit - discount, Currency.CLP)
    rate = draw(st.sampled_from([None, Decimal(0), Decimal("0.19")]))
    return Line(
        description="Té",
        quantity=Decimal(quantity),
        unit_price=Money(unit, Currency.CLP),
        discount=Money(discount, Currency.CLP),
        gross=gross,
        taxes=() if rate is None else (Tax(rate=rate, amount=gross.included_tax(rate)),),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=6))
def test_what_was_charged_is_what_it_adds_up_to(emitter: Emitter, sold: list[Line]) -> None:
    told = content(DocumentKind.TICKET, lines=tuple(sold))
    code = kinds.document_type(told)
    root = etree.fromstring(f"<a>{document.draft(emitter, told, code, 1).before}</Documento></a>".encode())

    def amount(name: str) -> int:
        return int(root.findtext(f".//{name}") or 0)

    assert amount("MntTotal") == told.total.minor == amount("MntNeto") + amount("MntExe") + amount("IVA")
    assert sum(int(found.text or 0) for found in root.iter("MontoItem")) == told.total.minor
    # Half a peso of the tax, and half of the net's: SII takes one as a slight remark.
    assert abs(amount("IVA") - Decimal(amount("MntNeto")) * Decimal("0.19")) <= 1
    for found in root.iter("Detalle"):
        parts = {child.tag: child.text for child in found}
        if "PrcItem" in parts:
            charged = int(parts["QtyItem"] or 0) * int(parts["PrcItem"] or 0) - int(parts.get("DescuentoMonto") or 0)
            assert charged == int(parts["MontoItem"] or 0)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=100))
def test_any_text_becomes_one_line_of_latin_1(text: str) -> None:
    shown = plain(text, 80)
    assert len(shown) <= 80
    shown.encode("latin-1")
    assert "\n" not in shown
    assert all(character.isprintable() or character in "\xa0\xad" for character in shown)


def test_what_sii_would_refuse_takes_no_folio() -> None:
    ticket = content(DocumentKind.TICKET)
    zero = Money.zero(Currency.CLP)
    other = Line(
        description="Pisco",
        quantity=Decimal(1),
        unit_price=Money(1000, Currency.CLP),
        discount=zero,
        gross=Money(1000, Currency.CLP),
        taxes=(Tax(kind=TaxKind.CONSUMPTION, rate=Decimal("0.315"), amount=Money(240, Currency.CLP)),),
    )
    for told in (
        content(DocumentKind.TICKET, lines=(other,)),
        content(DocumentKind.TICKET, lines=ticket.lines[:1] * 1001),
        content(DocumentKind.INVOICE, lines=ticket.lines[:1] * 61),
        content(DocumentKind.INVOICE, receiver=BUYER.model_copy(update={"tax_id": "77777777-8"})),
        content(DocumentKind.INVOICE, receiver=BUYER.model_copy(update={"use": ""})),
    ):
        with pytest.raises(Rejected) as caught:
            kinds.document_type(told)
        assert caught.value.messages[0].code
    assert kinds.document_type(content(DocumentKind.TICKET, lines=ticket.lines[1:])) == "41"
    assert kinds.document_type(content(DocumentKind.INVOICE, lines=ticket.lines[1:])) == "34"
