"""What is handed over where there are no small coins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Country, Currency, Money, MoneyError
from kernel.cash import CASH_ROUNDING, CashRounding, RoundingMode, in_cash


@pytest.mark.parametrize(
    ("amount", "paid"),
    [(1990, 1990), (1991, 1990), (1995, 1990), (1996, 2000), (1999, 2000), (5, 0), (6, 10), (0, 0)],
)
def test_chile_rounds_to_ten_pesos(amount: int, paid: int) -> None:
    assert in_cash(Money(amount, Currency.CLP), CASH_ROUNDING[Country.CL]) == Money(paid, Currency.CLP)


def test_nobody_else_rounds() -> None:
    assert set(CASH_ROUNDING) == {Country.CL}
    assert in_cash(Money(15053, Currency.MXN), None) == Money(15053, Currency.MXN)


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.integers(1, 10_000), st.sampled_from(RoundingMode))
def test_what_is_paid_is_payable_and_near(amount: int, step: int, mode: RoundingMode) -> None:
    due, rounding = Money(amount, Currency.COP), CashRounding(Money(step, Currency.COP), mode)
    paid = rounding.apply(due)
    assert paid.minor % step == 0
    assert rounding.apply(paid) == paid
    off = paid.minor - due.minor
    assert -step < off <= 0 if mode is RoundingMode.DOWN else -step <= 2 * off < step


def test_a_step_is_more_than_nothing_and_of_the_same_currency() -> None:
    with pytest.raises(MoneyError):
        CashRounding(Money(0, Currency.CLP))
    with pytest.raises(MoneyError):
        CASH_ROUNDING[Country.CL].apply(Money(100, Currency.MXN))
