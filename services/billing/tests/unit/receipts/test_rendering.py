import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from billing.receipts.document import Buyer, FiscalPrint, Issuer, Line, ReceiptDocument
from billing.receipts.labels import labels_of
from billing.receipts.renderer import render
from chassis.localization import Language
from chassis.pdf.thread import Format
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Money
from pypdf import PdfReader

EVERY = [(layout, language) for layout in Format for language in Language]


def make_line(**changes: Any) -> Line:
    quantity, price = changes.pop("quantity", 2), changes.pop("unit_price", 8950)
    total = quantity * price - changes.pop("discount", 0)
    country = Country.MX
    tax = Money(total, country.currency).included_tax(country.vat_rate).minor
    values = {"name": "Café de olla 500 g", "sku": "CAFE-500", "tax_rate": country.vat_rate, "tax": tax, **changes}
    return Line(quantity=quantity, unit_price=price, total=total, **values)


def make_document(*lines: Line, country: Country = Country.MX, **changes: Any) -> ReceiptDocument:
    lines = lines or (make_line(),)
    values: dict[str, Any] = {
        "number": "R-00000042",
        "sale_id": UUID(int=7),
        "country": country,
        "currency": country.currency,
        "time_zone": country.time_zone,
        "sold_at": datetime(2026, 11, 23, 1, 15, tzinfo=UTC),
        "payment_method": "QR_DYNAMIC",
        "issuer": Issuer(name="Abarrotes Lupita", legal_name="Abarrotes Lupita SA de CV", tax_id="EKU9003173C9"),
        "branch": "Sucursal Centro",
        "buyer": Buyer(name="Ana López", tax_id="LOHA850101AB1"),
        "tax": sum(line.tax for line in lines),
        "total": sum(line.total for line in lines),
        "link": "https://cobro.example/api/v1/receipts/7?key=abc",
    }
    return ReceiptDocument(lines=lines, **{**values, **changes})


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize(("layout", "language"), EVERY)
def test_everything_a_receipt_must_say_in_every_language(layout: Format, language: Language) -> None:
    labels = labels_of(language)

    text = text_of(render(make_document(), layout, language))

    expected = ["Abarrotes Lupita SA de CV", "EKU9003173C9", "Sucursal Centro", "R-00000042", "Café de olla 500 g"]
    expected += ["Ana López", "LOHA850101AB1", labels.not_fiscal, labels.methods["QR_DYNAMIC"], "16%", labels.thanks]
    for part in expected:
        assert part in text
    assert "179.00" in text.replace(",", ".")
    assert "19:15" in text  # 01:15 UTC is the evening before in Mexico
    assert "22" in text


@pytest.mark.parametrize(
    ("country", "amount"),
    [
        (Country.MX, "$1,234,567.50"),
        (Country.AR, "$1.234.567,50"),
        (Country.CO, "$1.234.567,50"),
        (Country.CL, "$123.456.750"),
    ],
)
def test_amounts_as_the_country_writes_them(country: Country, amount: str) -> None:
    document = make_document(make_line(quantity=1, unit_price=123_456_750), country=country)

    text = text_of(render(document, Format.A4, Language.ES))

    assert amount in text


def test_every_language_has_every_label() -> None:
    for language in Language:
        labels = labels_of(language)
        assert all(getattr(labels, name) for name in labels.__slots__)
        assert set(labels.methods) == {"CASH", "QR_STATIC", "QR_DYNAMIC", "PAYMENT_LINK", "BANK_TRANSFER"}
        assert "{rate}" in labels.tax


@pytest.mark.parametrize("layout", Format)
def test_discounts_add_up(layout: Format) -> None:
    document = make_document(make_line(quantity=3, unit_price=4500, discount=1500), make_line())

    text = text_of(render(document, layout, Language.ES))

    assert document.list_price - document.discount == document.total
    for amount in ("$314.00", "-$15.00", "$299.00"):
        assert amount in text


@pytest.mark.parametrize("layout", Format)
def test_the_same_document_gives_the_same_bytes_in_another_process_too(layout: Format) -> None:
    document = make_document()
    program = (
        "import sys, hashlib; from billing.receipts.document import ReceiptDocument;"
        "from billing.receipts.renderer import Format, render; from billing.receipts.labels import Language;"
        "document = ReceiptDocument.model_validate_json(sys.stdin.read());"
        f"sys.stdout.write(hashlib.sha256(render(document, Format('{layout.value}'), Language.ES)).hexdigest())"
    )

    other = subprocess.run(
        [sys.executable, "-c", program], input=document.model_dump_json(), capture_output=True, text=True, check=True
    )

    assert other.stdout == sha256(render(document, layout, Language.ES)).hexdigest()


def test_a_long_list_runs_over_several_pages_with_the_head_repeated() -> None:
    document = make_document(*(make_line(name=f"Producto {number}") for number in range(120)))

    pages = PdfReader(BytesIO(render(document, Format.A4, Language.ES))).pages

    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert f"Página {number} de {len(pages)}" in text
    assert "Descripción" in pages[1].extract_text()


def test_a_ticket_is_one_page_as_long_as_its_content() -> None:
    def height(lines: int) -> float:
        document = make_document(*(make_line() for _ in range(lines)))
        (page,) = PdfReader(BytesIO(render(document, Format.TICKET, Language.ES))).pages
        return float(page.mediabox.height)

    assert height(1) < height(10) < height(200)


HOSTILE = {
    "markup": "<b>negrita</b> <img src='file:///etc/passwd'/> & &amp; <para>",
    "controls": "uno\x00dos\r\ntres\u202ecuatro\u0007",
    "emoji": "Café ☕🌮 🇲🇽",
    "other script": "漢字 العربية",
    "only unknown": "☕☕☕",
    "one endless word": "W" * 10_000,
    "format": "{rate} %s %(x)s ${x}",
}


@pytest.mark.parametrize("layout", Format)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_text_holds_it_is_printed_and_never_obeyed(layout: Format, text: str) -> None:
    document = make_document(
        make_line(name=text, sku=text),
        issuer=Issuer(name=text, legal_name=text, tax_id=text, address=text, city=text, phone=text),
        buyer=Buyer(name=text, tax_id=text),
        branch=text,
        payment_method=text,
    )

    printed = text_of(render(document, layout, Language.ES))

    assert "R-00000042" in printed
    if text.startswith("<b>"):
        assert "<b>negrita</b>" in printed


@settings(max_examples=25, deadline=None)
@given(
    text=st.text(max_size=80),
    quantity=st.integers(1, 100_000),
    unit_price=st.integers(0, 10**9),
    layout=st.sampled_from(Format),
    language=st.sampled_from(Language),
)
def test_any_sale_can_be_printed(text: str, quantity: int, unit_price: int, layout: Format, language: Language) -> None:
    document = make_document(make_line(name=text, quantity=quantity, unit_price=unit_price))

    assert render(document, layout, language).startswith(b"%PDF")


def taxes(*lines: tuple[str, int]) -> list[tuple[Decimal | None, int]]:
    document = make_document(*(make_line(tax_rate=Decimal(rate), tax=tax) for rate, tax in lines))
    return document.taxes()


def test_contained_taxes_by_rate() -> None:
    assert taxes(("0.16", 100), ("0.160", 50), ("0.08", 7), ("0", 0)) == [(Decimal("0.16"), 150), (Decimal("0.08"), 7)]


def test_one_sum_where_the_lines_do_not_add_up_to_the_tax() -> None:
    assert make_document(tax=1).taxes() == [(None, 1)]


@pytest.mark.parametrize("layout", Format)
def test_without_a_buyer_and_with_little_known_of_the_shop(layout: Format) -> None:
    document = make_document(buyer=None, issuer=Issuer(name="Tienda"), branch="")

    assert "Tienda" in text_of(render(document, layout, Language.ES))


def test_an_idle_process_does_not_hold_what_draws() -> None:
    program = "import sys, billing.app; sys.exit('reportlab' in sys.modules or 'babel' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("layout", list(Format))
@pytest.mark.parametrize("kind", ["qr", "pdf417", ""])
def test_a_fiscal_document_shows_what_the_law_wants_and_not_that_it_is_none(layout: Format, kind: str) -> None:
    printed = FiscalPrint(
        title="Boleta electrónica",
        facts=(("Folio fiscal", "5803EB8D-81CD-4557-8719-26632D2FA434"),),
        code_kind=kind,
        code="<TED><DD><RE>76354771-K</RE><MNT>11900</MNT></DD></TED>" if kind else None,
        texts=("Timbre Electrónico SII", "Res. 80 de 2014"),
    )
    text = text_of(render(make_document().model_copy(update={"fiscal": printed}), layout, Language.ES))
    # Long ids go over several lines.
    together = "".join(text.split())
    for expected in ("BOLETAELECTRÓNICA", "5803EB8D-81CD-4557-8719-26632D2FA434", "TimbreElectrónicoSII"):
        assert expected in together
    assert "no es un comprobante fiscal" not in text
