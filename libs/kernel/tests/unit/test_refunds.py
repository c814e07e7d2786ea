"""However a sold line is given back, in pieces and in any order, the pieces are the line."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import Currency, Money, MoneyError
from kernel.money import total
from kernel.refunds import RefundPart, SoldLine, refund_amount, refund_rest, refund_units

RATES = st.sampled_from([Decimal(rate) for rate in ("0", "0.05", "0.105", "0.16", "0.19", "0.21")])


def sold(quantity: int, amount: int, rate: Decimal, currency: Currency = Currency.MXN) -> SoldLine:
    money, nothing = Money(amount, currency), Money.zero(currency)
    return SoldLine(quantity, money, money.included_tax(rate), rate, 0, nothing, nothing)


def undone(line: SoldLine, part: RefundPart) -> SoldLine:
    return line.after(RefundPart(-part.quantity, -part.amount, -part.tax))


LINES = st.lists(
    st.builds(sold, st.integers(1, 12), st.integers(0, 100_000), RATES, st.just(Currency.MXN)), min_size=1, max_size=4
)


@settings(max_examples=60)
@given(LINES, st.data())
def test_the_parts_are_the_whole_in_any_order(lines: list[SoldLine], data: st.DataObject) -> None:
    """Units, sums of money and parts that fell through, in any order; then the rest of everything."""
    books = list(lines)
    for _ in range(data.draw(st.integers(0, 12), label="refunds")):
        left = total((line.left for line in books), Currency.MXN).minor
        if left and data.draw(st.booleans(), label="money alone"):
            wish = Money(data.draw(st.integers(1, left), label="amount"), Currency.MXN)
            parts = list(enumerate(refund_amount(books, wish)))
            assert total((part.amount for _, part in parts), Currency.MXN) == wish
        else:
            index = data.draw(st.integers(0, len(books) - 1), label="line")
            if not books[index].units_left:
                continue
            units = data.draw(st.integers(1, books[index].units_left), label="units")
            parts = [(index, refund_units(books[index], units))]
        falls_through = data.draw(st.booleans(), label="falls through")
        for index, part in parts:
            assert 0 <= part.tax.minor <= part.amount.minor
            before = books[index]
            books[index] = before.after(part)
            if falls_through:
                books[index] = undone(books[index], part)
                assert books[index] == before
    for line in books:
        part = refund_rest(line)
        assert 0 <= part.tax.minor <= part.amount.minor
        after = line.after(part)
        assert (after.refunded_quantity, after.refunded_amount, after.refunded_tax) == (
            line.quantity,
            line.total,
            line.tax,
        )


@settings(max_examples=60)
@given(LINES, st.data())
def test_two_open_refunds_may_end_in_any_order(lines: list[SoldLine], data: st.DataObject) -> None:
    """The first falls through after the second was reckoned on top of it, and is asked for again."""
    line = lines[0]
    if line.quantity < 2:
        return
    first = refund_units(line, data.draw(st.integers(1, line.quantity - 1)))
    second = refund_units(line.after(first), data.draw(st.integers(1, line.quantity - first.quantity)))
    left = undone(line.after(first).after(second), first)
    rest = refund_rest(left)
    assert 0 <= rest.tax.minor <= rest.amount.minor
    assert second.amount + rest.amount == line.total
    assert second.tax + rest.tax == line.tax


def test_three_units_of_ten_pesos() -> None:
    line = sold(3, 1000, Decimal("0.16"))
    amounts = []
    for _ in range(3):
        part = refund_units(line, 1)
        line = line.after(part)
        amounts.append((str(part.amount), str(part.tax)))
    assert [amount for amount, _ in amounts] == ["3.33", "3.34", "3.33"]
    assert line.refunded_tax == line.tax


@pytest.mark.parametrize("units", [0, -1, 4])
def test_no_more_than_there_is(units: int) -> None:
    line = sold(3, 1000, Decimal(0))
    with pytest.raises(MoneyError):
        refund_units(line, units)
    with pytest.raises(MoneyError):
        refund_amount([line], Money(1001, Currency.MXN))
