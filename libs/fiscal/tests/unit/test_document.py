from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from fiscal.document import DocumentKind, FiscalDocument, Line, Tax, TaxKind
from fiscal.testing.fake import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Currency, Money
from pydantic import ValidationError

NOW = datetime(2026, 1, 16, 2, 0, tzinfo=UTC)


@settings(max_examples=60)
@given(st.sampled_from(list(Country)), st.integers(0, 10**9))
def test_the_gross_is_what_was_charged_whatever_the_tax(country: Country, minor: int) -> None:
    gross = Money(minor, country.currency)
    line = Line(
        description="x",
        quantity=Decimal(1),
        unit_price=gross,
        discount=Money.zero(country.currency),
        gross=gross,
        taxes=(Tax(rate=country.vat_rate, amount=gross.included_tax(country.vat_rate)),),
    )
    assert line.net + line.tax == gross
    document = sample(DocumentKind.TICKET, country=country, at=NOW, lines=(line, line), payments=())
    assert document.total == gross * 2
    assert document.taxes() == {(TaxKind.VAT, country.vat_rate): (line.net * 2, line.tax * 2)}


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_a_stored_document_is_the_same_document(kind: DocumentKind) -> None:
    document = sample(kind, at=NOW)
    assert FiscalDocument.model_validate_json(document.model_dump_json()) == document


def test_the_day_is_the_business_s() -> None:
    assert sample(DocumentKind.TICKET, at=NOW).local_time.date().isoformat() == "2026-01-15"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (DocumentKind.INVOICE, {"receiver": None}),
        (DocumentKind.CREDIT_NOTE, {"reference": None}),
        (DocumentKind.GLOBAL, {"period": None}),
        (DocumentKind.TICKET, {"currency": Currency.CLP}),
        (DocumentKind.TICKET, {"lines": ()}),
        (DocumentKind.TICKET, {"issued_at": NOW.replace(tzinfo=None)}),
    ],
    ids=["nobody", "of nothing", "of no time", "other money", "empty", "when"],
)
def test_what_does_not_hold_together_is_refused(kind: DocumentKind, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        sample(kind, at=NOW, **changes)


def test_a_line_that_does_not_add_up_is_refused() -> None:
    one = Money(100, Currency.MXN)
    with pytest.raises(ValidationError):
        Line(description="x", quantity=Decimal(2), unit_price=one, discount=one - one, gross=one)
