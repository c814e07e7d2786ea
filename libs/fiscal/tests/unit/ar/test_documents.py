"""What Argentina sends and prints: golden requests, amounts that add up whatever was charged, letters by who buys."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fiscal.ar import printing
from fiscal.ar.amounts import amounts
from fiscal.ar.codes import LETTERS
from fiscal.ar.document import build
from fiscal.ar.voucher import series_of, type_of, voucher
from fiscal.document import Address, DocumentKind, FiscalDocument, Line, Receiver, Reference, Tax, TaxKind
from fiscal.errors import Rejected
from fiscal.profile import Environment, IssuerProfile
from fiscal.provider import Outcome, State
from fiscal.testing.fake import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Currency, Money

NOW = datetime(2026, 1, 16, 2, 0, tzinfo=UTC)
COMPANY = Receiver(name="Ñandú SRL", tax_id="33-69345023-9", regime="1")
ZERO = Money.zero(Currency.ARS)


def issuer(**changes: Any) -> IssuerProfile:
    values: dict[str, Any] = {
        "business_id": UUID(int=1),
        "tax_id": "20267565393",
        "legal_name": "Panadería del Sur SRL",
        "trade_name": "",
        "regime": "1",
        "address": Address(),
        "environment": Environment.TEST,
        "time_zone": "America/Argentina/Buenos_Aires",
        "fields": {"pointOfSale": "3", "grossIncome": "901-1", "activityStart": "2019-03-01"},
    }
    return IssuerProfile(**values | changes)


def document(kind: DocumentKind = DocumentKind.TICKET, **changes: Any) -> FiscalDocument:
    return sample(kind, country=Country.AR, at=NOW, **{"receiver": None, **changes})


def reference(type: int) -> Reference:
    return Reference(
        kind=DocumentKind.TICKET,
        document_type=str(type),
        series=series_of(2, type),
        number=41,
        fiscal_id="7",
        issued_on=date(2026, 1, 14),
    )


def line(minor: int, rate: str | None) -> Line:
    gross = Money(minor, Currency.ARS)
    taxes = () if rate is None else (Tax(rate=Decimal(rate), amount=gross.included_tax(Decimal(rate))),)
    return Line(description="x", quantity=Decimal(1), unit_price=gross, discount=ZERO, gross=gross, taxes=taxes)


def request(seller: IssuerProfile, made: FiscalDocument, number: int = 42) -> str:
    series = series_of(3, type_of(seller, made))
    return build(voucher(seller, made, series, number)).decode()


HEAD = (
    '<FeCAEReq xmlns="http://ar.gov.afip.dif.FEV1/"><FeCabReq><CantReg>1</CantReg><PtoVta>3</PtoVta>'
    "<CbteTipo>{type}</CbteTipo></FeCabReq><FeDetReq><FECAEDetRequest><Concepto>1</Concepto>"
    "<DocTipo>{id_type}</DocTipo><DocNro>{id_number}</DocNro><CbteDesde>42</CbteDesde><CbteHasta>42</CbteHasta>"
    "<CbteFch>20260115</CbteFch><ImpTotal>224.00</ImpTotal>"
)
TAIL = "</FECAEDetRequest></FeDetReq></FeCAEReq>"
WITH_VAT = (
    "<ImpTotConc>45.00</ImpTotConc><ImpNeto>147.93</ImpNeto><ImpOpEx>0.00</ImpOpEx><ImpTrib>0.00</ImpTrib>"
    "<ImpIVA>31.07</ImpIVA><MonId>PES</MonId><MonCotiz>1</MonCotiz>"
)
RATES = "<Iva><AlicIva><Id>5</Id><BaseImp>147.93</BaseImp><Importe>31.07</Importe></AlicIva></Iva>"
ASSOCIATED = (
    "<CbtesAsoc><CbteAsoc><Tipo>6</Tipo><PtoVta>2</PtoVta><Nro>41</Nro><Cuit>20267565393</Cuit>"
    "<CbteFch>20260114</CbteFch></CbteAsoc></CbtesAsoc>"
)


def test_golden_requests() -> None:
    """The day is Buenos Aires's, where it is still the fifteenth."""
    invoice = document(DocumentKind.INVOICE, receiver=COMPANY)
    note = document(DocumentKind.CREDIT_NOTE, reference=reference(6))
    simplified = issuer(regime="6")
    assert request(issuer(), invoice) == (
        HEAD.format(type=1, id_type=80, id_number=33693450239)
        + WITH_VAT
        + "<CondicionIVAReceptorId>1</CondicionIVAReceptorId>"
        + RATES
        + TAIL
    )
    assert request(issuer(), note) == (
        HEAD.format(type=8, id_type=99, id_number=0)
        + WITH_VAT
        + "<CondicionIVAReceptorId>5</CondicionIVAReceptorId>"
        + ASSOCIATED
        + RATES
        + TAIL
    )
    assert request(simplified, document()) == (
        HEAD.format(type=11, id_type=99, id_number=0)
        + "<ImpTotConc>0.00</ImpTotConc><ImpNeto>224.00</ImpNeto><ImpOpEx>0.00</ImpOpEx><ImpTrib>0.00</ImpTrib>"
        + "<ImpIVA>0.00</ImpIVA><MonId>PES</MonId><MonCotiz>1</MonCotiz>"
        + "<CondicionIVAReceptorId>5</CondicionIVAReceptorId>"
        + TAIL
    )


@pytest.mark.parametrize(
    ("regime", "buyer", "letter"),
    [
        ("1", COMPANY, "A"),
        ("1", COMPANY.model_copy(update={"regime": "MONOTRIBUTO"}), "A"),
        ("1", COMPANY.model_copy(update={"regime": "4"}), "B"),
        ("1", Receiver(name="Ana", tax_id="30.123.456", tax_id_kind="DNI"), "B"),
        ("1", None, "B"),
        ("6", COMPANY, "C"),
        ("4", None, "C"),
    ],
    ids=["registered", "monotributo", "exempt", "dni", "nobody", "of a monotributo", "of an exempt"],
)
def test_the_letter_follows_who_sells_and_who_buys(regime: str, buyer: Receiver | None, letter: str) -> None:
    kind = DocumentKind.TICKET if buyer is None else DocumentKind.INVOICE
    assert LETTERS[type_of(issuer(regime=regime), document(kind, receiver=buyer))] == letter


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"receiver": COMPANY.model_copy(update={"regime": ""})}, "condicion_iva_requerida"),
        ({"receiver": COMPANY.model_copy(update={"regime": "99"})}, "condicion_iva_requerida"),
        ({"receiver": COMPANY.model_copy(update={"tax_id": "33693450230"})}, "documento_invalido"),
        ({"receiver": COMPANY.model_copy(update={"tax_id": "٣٣٦٩٣٤٥٠٢٣٩"})}, "documento_invalido"),
        ({"receiver": Receiver(name="Ana", tax_id="30123456", regime="1")}, "cuit_requerido"),
        ({"lines": (line(1000, "0.19"),)}, "alicuota_desconocida"),
        (
            {
                "lines": (
                    line(1000, "0.21").model_copy(
                        update={"taxes": (Tax(kind=TaxKind.CONSUMPTION, rate=Decimal("0.21"), amount=ZERO),)}
                    ),
                )
            },
            "alicuota_desconocida",
        ),
        ({"lines": (line(1_000_000_000, "0.21"),)}, "identificacion_requerida"),
    ],
    ids=[
        "no condition",
        "unknown condition",
        "wrong cuit",
        "other digits",
        "A to a DNI",
        "19 %",
        "not VAT",
        "too much",
    ],
)
def test_what_cannot_be_documented_says_why(changes: dict[str, Any], code: str) -> None:
    kind = DocumentKind.INVOICE if "receiver" in changes else DocumentKind.TICKET
    made = document(kind, payments=(), **changes)
    with pytest.raises(Rejected) as refused:
        voucher(issuer(), made, series_of(3, type_of(issuer(), made)), 1, Decimal(10_000_000))
    assert [message.code for message in refused.value.messages] == [code]


RATES_SOLD = st.sampled_from([None, "0", "0.025", "0.05", "0.105", "0.21", "0.27"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10_000_000), RATES_SOLD), min_size=1, max_size=80))
def test_the_parts_add_up_to_what_was_charged(sold: list[tuple[int, str | None]]) -> None:
    """To the centavo, and each rate's VAT is within ARCA's tolerance of its base, however many lines were rounded."""
    made = document(lines=tuple(line(minor, rate) for minor, rate in sold), payments=())
    found = amounts(made, with_vat=True)
    assert found.untaxed + found.exempt + found.net + found.vat == found.total == made.total
    assert sum((group.base for group in found.groups), ZERO) == found.net
    assert sum((group.tax for group in found.groups), ZERO) == found.vat
    for group in found.groups:
        assert abs(group.base.decimal * group.rate - group.tax.decimal) <= Decimal("0.01")


def test_many_roundings_do_not_stray() -> None:
    """200 lines of 3 centavos: by line a centavo of VAT each, together far from 21 %."""
    made = document(lines=(line(3, "0.21"),) * 200, payments=())
    (group,) = amounts(made, with_vat=True).groups
    assert made.tax == Money(200, Currency.ARS)
    assert (str(group.base), str(group.tax)) == ("4.96", "1.04")


def test_the_published_example_of_the_code() -> None:
    assert printing.qr_address(
        day=date(2020, 10, 13),
        cuit=30000000007,
        point_of_sale=10,
        type=1,
        number=94,
        amount=Decimal("12100.00"),
        id_type=80,
        id_number=20000000001,
        cae="70417054367476",
        currency="DOL",
        rate=65,
    ) == (
        "https://www.afip.gob.ar/fe/qr/?p="
        "eyJ2ZXIiOjEsImZlY2hhIjoiMjAyMC0xMC0xMyIsImN1aXQiOjMwMDAwMDAwMDA3LCJwdG9WdGEiOjEwLCJ0aXBvQ21wIjoxLCJucm9DbXAiOjk0"
        "LCJpbXBvcnRlIjoxMjEwMCwibW9uZWRhIjoiRE9MIiwiY3R6Ijo2NSwidGlwb0RvY1JlYyI6ODAsIm5yb0RvY1JlYyI6MjAwMDAwMDAwMDEsInRp"
        "cG9Db2RBdXQiOiJFIiwiY29kQXV0Ijo3MDQxNzA1NDM2NzQ3Nn0="
    )


@pytest.mark.parametrize(
    ("buyer", "wanted", "absent"),
    [
        (None, "IVA Contenido: $ 31,07", "Ley Nº 27.618"),
        (COMPANY, "Importe neto gravado: $ 147,93", "Ley 27.743"),
        (COMPANY.model_copy(update={"regime": "6"}), "Ley Nº 27.618", "Ley 27.743"),
    ],
    ids=["B", "A", "A to a monotributo"],
)
def test_what_the_law_wants_on_paper(buyer: Receiver | None, wanted: str, absent: str) -> None:
    made = document(DocumentKind.TICKET if buyer is None else DocumentKind.INVOICE, receiver=buyer)
    shown = voucher(issuer(), made, series_of(3, type_of(issuer(), made)), 42)
    outcome = Outcome(State.ACCEPTED, fiscal_id="75123456789012", expires_on=date(2026, 1, 25))
    printed = printing.printed(issuer(), shown, outcome)
    text = "\n".join([*(f"{label}: {value}" for label, value in printed.facts), *printed.texts])
    assert wanted in text
    assert absent not in text
    assert "CAE: 75123456789012\nVencimiento del CAE: 25/01/2026" in text
    assert (printed.title, printed.mark) == ("Factura", shown.letter)


def test_who_charges_no_vat_prints_none() -> None:
    made, outcome = document(), Outcome(State.ACCEPTED, fiscal_id="75123456789012")
    taxes = {
        regime: printing.printed(seller, voucher(seller, made, series_of(3, type_of(seller, made)), 42), outcome).taxes
        for regime, seller in (("1", issuer()), ("6", issuer(regime="6")))
    }
    assert taxes == {
        "1": ((Decimal("0.21"), Money(3107, Currency.ARS)),),
        "6": ((Decimal(0), ZERO),),
    }


def test_amounts_are_written_as_they_are_read() -> None:
    assert printing.pesos(Money(123456789, Currency.ARS)) == "$ 1.234.567,89"
