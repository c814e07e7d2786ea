from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import Country, Currency, Money, MoneyError

currencies = st.sampled_from(Currency)
minors = st.integers(min_value=-(10**12), max_value=10**12)


@given(minors, currencies)
def test_text_round_trips(minor: int, currency: Currency) -> None:
    money = Money(minor, currency)
    assert Money.of(str(money), currency) == money


@given(st.integers(min_value=0, max_value=10**10), currencies, st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_a_split_adds_up_and_is_fair(minor: int, currency: Currency, weights: list[int]) -> None:
    if not any(weights):
        weights[0] = 1
    parts = Money(minor, currency).split(weights)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - minor * weight / sum(weights)) < 1.0001


@given(st.integers(min_value=0, max_value=10**10), st.sampled_from(Country))
def test_tax_is_what_the_gross_contains(minor: int, country: Country) -> None:
    gross = Money(minor, country.currency)
    tax = gross.included_tax(country.vat_rate)
    net = gross - tax
    assert Money(0, gross.currency) <= tax <= gross
    assert abs(net.decimal * country.vat_rate - tax.decimal) <= country.currency.quantum * 2


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("150.505", "MXN"),
        ("1.5", "CLP"),
        ("abc", "MXN"),
        ("", "MXN"),
        ("NaN", "MXN"),
        ("Infinity", "MXN"),
        ("1e30", "MXN"),
        ("1e-40", "MXN"),
        ("1e999999999", "MXN"),
        ("1", "USD"),
        (1.5, "MXN"),
        (True, "MXN"),
        (None, "MXN"),
    ],
)
def test_what_is_no_money_is_refused(amount: object, currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.of(amount, currency)  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(MoneyError):
        Money(1, Currency.MXN) + Money(1, Currency.CLP)
    with pytest.raises(MoneyError):
        _ = Money(1, Currency.MXN) < Money(1, Currency.CLP)


@pytest.mark.parametrize(("amount", "minor"), [("0.005", 1), ("0.004", 0), ("-0.005", -1), ("1.115", 112)])
def test_rounding_is_half_up(amount: str, minor: int) -> None:
    assert Money.rounded(Decimal(amount), Currency.MXN).minor == minor
