"""Counting, and what a closing comes to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from chassis.settings import CommonSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Currency, InvalidInput, Money
from sales.cash_sessions.counting import FACES, MAX_MINOR, counted, declared
from sales.cash_sessions.reckoning import Reckoning, business_day, oddities_of
from sales.cash_sessions.status import ExceptionCode
from sales.settings import SalesSettings

_AMOUNTS = st.decimals("-100000", "100000", places=2)


@settings(max_examples=60)
@given(currency=st.sampled_from(Currency), data=st.data())
def test_the_sum_of_the_pieces(currency: Currency, data: st.DataObject) -> None:
    pieces = data.draw(st.dictionaries(st.sampled_from(FACES[currency]), st.integers(0, 500)))
    amount, ordered = counted(pieces, currency, "denominations")
    assert amount.decimal == sum((Decimal(face) * number for face, number in pieces.items()), Decimal(0))
    assert ordered == {face: number for face, number in pieces.items() if number}
    assert list(ordered) == sorted(ordered, key=Decimal, reverse=True)


@pytest.mark.parametrize(
    ("pieces", "currency"),
    [
        ({"3": 1}, Currency.MXN),
        ({"0.50": 1}, Currency.CLP),
        ({"1": 1}, Currency.CLP),
        ({"0": 1}, Currency.MXN),
        ({"0.5": 1, "0.50": 2}, Currency.MXN),
        ({"1000": 1_000_000, "500": 1_000_000_000}, Currency.MXN),
        ({"99999999999999999999": 1}, Currency.COP),
    ],
)
def test_what_is_no_count(pieces: dict[str, int], currency: Currency) -> None:
    with pytest.raises(InvalidInput):
        counted(pieces, currency, "denominations")


def test_a_drawer_has_its_limits() -> None:
    assert declared(Money(MAX_MINOR, Currency.MXN), "closingCash").minor == MAX_MINOR
    for minor in (-1, MAX_MINOR + 1):
        with pytest.raises(InvalidInput):
            declared(Money(minor, Currency.MXN), "closingCash")


@settings(max_examples=60)
@given(expected=_AMOUNTS, found=_AMOUNTS, tolerance=st.decimals("0", "100", places=2), lowest=_AMOUNTS)
def test_a_closing(expected: Decimal, found: Decimal, tolerance: Decimal, lowest: Decimal) -> None:
    reckoning = Reckoning(expected=expected, counted=found, tolerance=tolerance)
    assert expected + reckoning.difference == found
    codes = {oddity.code for oddity in oddities_of(reckoning, lowest=lowest, pending_sales=0, exponent=2)}
    assert (ExceptionCode.DIFFERENCE in codes) == (abs(found - expected) > tolerance) == reckoning.needs_approval
    assert (ExceptionCode.NEGATIVE_EXPECTED in codes) == (lowest < 0)
    assert ExceptionCode.PENDING_SALES not in codes


def test_the_day_is_that_of_the_opening_where_the_shop_is() -> None:
    late = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)
    assert business_day(late, "America/Mexico_City") == date(2026, 3, 10)
    assert business_day(late, "America/Santiago") == date(2026, 3, 10)
    assert business_day(late, "Europe/Madrid") == date(2026, 3, 11)


def _settings(tolerances: str) -> dict[str, object]:
    common = CommonSettings.model_construct()
    return {"common": common, "database_url": "postgresql://x", "http_port": 1, "cash_tolerances": tolerances}


def test_tolerances_as_settings_spell_them() -> None:
    parsed = SalesSettings.model_validate(_settings("MXN:12.50, CLP:500"))
    assert parsed.cash_tolerances[Currency.MXN] == Decimal("12.50")
    assert parsed.cash_tolerances[Currency.CLP] == Decimal(500)
    assert parsed.cash_tolerances[Currency.COP] == Decimal(0)
    for wrong in ("MXN", "USD:1", "CLP:0.5", "MXN:-1"):
        with pytest.raises(ValueError, match="cash_tolerances"):
            SalesSettings.model_validate(_settings(wrong))
