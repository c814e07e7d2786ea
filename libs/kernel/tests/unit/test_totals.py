"""The arithmetic of a basket: nothing is lost, nothing is invented, to the last minor unit."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Currency, Money, MoneyError
from kernel.totals import BasketLine, BasketTotals, Discount, DiscountTooLarge, Percent, basket_totals

RATES = st.sampled_from([Decimal(rate) for rate in ("0", "0.05", "0.08", "0.105", "0.16", "0.19", "0.21", "0.27")])


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[BasketLine], Money]:
    currency = draw(st.sampled_from(list(Currency)))
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        price, quantity = draw(st.integers(0, 10**8)), draw(st.integers(1, 500))
        discount = draw(st.one_of(st.just(0), st.integers(0, price * quantity)))
        lines.append(BasketLine(Money(price, currency), quantity, draw(RATES), Money(discount, currency)))
    rest = sum(line.unit_price.minor * line.quantity - line.discount.minor for line in lines)
    return lines, Money(draw(st.one_of(st.just(0), st.just(rest), st.integers(0, rest))), currency)


def pesos(amount: str) -> Money:
    return Money.of(amount, Currency.MXN)


def line(price: str, quantity: int = 1, *, rate: str = "0.16", discount: str = "0") -> BasketLine:
    return BasketLine(pesos(price), quantity, Decimal(rate), pesos(discount))


@given(baskets())
def test_the_columns_add_up_exactly(basket: tuple[list[BasketLine], Money]) -> None:
    lines, discount = basket
    totals = basket_totals(lines, discount)
    gross = sum(item.unit_price.minor * item.quantity for item in lines)
    taken_off = sum(item.discount.minor for item in lines) + discount.minor
    assert totals.total.minor == gross - taken_off == sum(item.total.minor for item in totals.lines)
    assert totals.discount.minor == taken_off == sum(item.discount.minor for item in totals.lines)
    assert totals.tax.minor == sum(item.tax.minor for item in totals.lines)
    assert totals.subtotal - totals.discount + totals.tax == totals.total


@given(baskets())
def test_every_line_stands_alone(basket: tuple[list[BasketLine], Money]) -> None:
    lines, discount = basket
    for asked, got in zip(lines, basket_totals(lines, discount).lines, strict=True):
        assert got.total == got.gross - got.discount
        assert asked.discount.minor <= got.discount.minor <= got.gross.minor
        net = got.total - got.tax
        # The net is the nearest whole unit to gross / (1 + rate), so it is never off by more than half of one.
        assert abs(net.minor * (1 + asked.tax_rate) - got.total.minor) <= (1 + asked.tax_rate) / 2
        assert 0 <= got.tax.minor <= got.total.minor


@given(baskets())
def test_the_basket_discount_is_spread_in_proportion(basket: tuple[list[BasketLine], Money]) -> None:
    lines, discount = basket
    totals = basket_totals(lines, discount)
    before = [item.unit_price.minor * item.quantity - item.discount.minor for item in lines]
    shares = [got.discount.minor - asked.discount.minor for asked, got in zip(lines, totals.lines, strict=True)]
    for weight, share in zip(before, shares, strict=True):
        assert abs(share * sum(before) - discount.minor * weight) < max(sum(before), 1)
    ranked = sorted(zip(before, shares, strict=True))
    assert all(high[1] >= low[1] for low, high in pairwise(ranked) if high[0] > low[0])


@given(baskets(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_what_is_charged(basket: tuple[list[BasketLine], Money], random) -> None:  # type: ignore[no-untyped-def]
    lines, discount = basket
    shuffled = random.sample(lines, len(lines))

    def charged(totals: BasketTotals) -> tuple[Money, Money]:
        return totals.total, totals.discount

    assert charged(basket_totals(lines, discount)) == charged(basket_totals(shuffled, discount))


PERCENTAGES = st.decimals(0, 100, places=3).map(Percent)


@settings(max_examples=60)
@given(baskets(), PERCENTAGES, st.lists(PERCENTAGES, min_size=12, max_size=12))
def test_a_percentage_is_the_amount_it_comes_to(
    basket: tuple[list[BasketLine], Money], whole: Percent, each: list[Percent]
) -> None:
    lines = [
        BasketLine(item.unit_price, item.quantity, item.tax_rate, percent)
        for item, percent in zip(basket[0], each, strict=False)
    ]
    amounts = [
        BasketLine(item.unit_price, item.quantity, item.tax_rate, item.discount.of(item.unit_price * item.quantity))
        for item in lines
        if isinstance(item.discount, Percent)
    ]
    undiscounted = basket_totals(amounts, Money.zero(basket[1].currency)).total
    assert basket_totals(lines, whole) == basket_totals(amounts, whole.of(undiscounted))
    # 100 % is everything, and nothing is charged that is not due.
    assert not basket_totals(lines, Percent(Decimal(100))).total


@pytest.mark.parametrize("value", ["-0.01", "100.01", "NaN", "Infinity"])
def test_a_percentage_is_of_a_hundred(value: str) -> None:
    with pytest.raises(MoneyError):
        Percent(Decimal(value))


def test_an_eighth_off() -> None:
    half_cent: Discount = Percent(Decimal("12.5"))
    totals = basket_totals([line("0.36"), line("99.99", 3)], half_cent)
    assert (str(totals.discount), str(totals.total)) == ("37.54", "262.79")


def test_two_of_one_product() -> None:
    totals = basket_totals([line("75.25", 2)], pesos("0"))
    assert (str(totals.subtotal), str(totals.tax), str(totals.discount), str(totals.total)) == (
        "129.74",
        "20.76",
        "0.00",
        "150.50",
    )


def test_a_discount_that_does_not_divide() -> None:
    totals = basket_totals([line("10.00"), line("10.00"), line("10.00")], pesos("10.00"))
    assert [str(item.discount) for item in totals.lines] == ["3.34", "3.33", "3.33"]
    assert str(totals.total) == "20.00"


def test_rates_are_kept_apart() -> None:
    totals = basket_totals([line("116.00"), line("50.00", rate="0")], pesos("0"))
    assert [str(item.tax) for item in totals.lines] == ["16.00", "0.00"]


def test_a_line_discount_beyond_its_line_is_named() -> None:
    with pytest.raises(DiscountTooLarge) as error:
        basket_totals([line("10.00"), line("10.00", discount="10.01")], pesos("0"))
    assert error.value.line == 1


def test_a_basket_discount_beyond_the_basket() -> None:
    with pytest.raises(DiscountTooLarge) as error:
        basket_totals([line("10.00", discount="4.00")], pesos("6.01"))
    assert error.value.line is None


@pytest.mark.parametrize(
    ("lines", "discount"),
    [
        ([], Money(0, Currency.MXN)),
        ([line("10.00")], Money(-1, Currency.MXN)),
        ([line("10.00")], Money(0, Currency.CLP)),
        ([line("10.00", 0)], Money(0, Currency.MXN)),
        ([line("10.00", discount="-1")], Money(0, Currency.MXN)),
        ([line("9999999999999.99", 500)], Money(0, Currency.MXN)),
    ],
)
def test_what_is_no_basket_is_refused(lines: list[BasketLine], discount: Money) -> None:
    with pytest.raises(MoneyError):
        basket_totals(lines, discount)
