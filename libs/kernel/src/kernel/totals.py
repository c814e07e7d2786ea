"""What a basket costs. Prices include tax; the gross is the truth, and the tax is what it contains.

For every line:   gross = unit price x quantity,  total = gross - discount,  tax = total - net(total)
For the basket:   total = sum of line totals,  tax = sum of line taxes,  discount = sum of line discounts,
                  subtotal = sum of line gross - tax, so that  subtotal - discount + tax = total  always holds.

A discount is an amount or a percentage; a percentage is rounded half up to the minor unit, once, where it is taken off.
A discount on the whole basket is spread over its lines in proportion to what they cost after their own discounts, to
the last minor unit, so that every line carries its own share and can be taxed, refunded and invoiced alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.money import Currency, Money, MoneyError, total


class DiscountTooLarge(MoneyError):
    """More is taken off than there is. `line` is the offending line's index, None for the whole basket."""

    def __init__(self, line: int | None) -> None:
        super().__init__("discount is larger than the amount it is taken from")
        self.line = line


@dataclass(frozen=True, slots=True)
class Percent:
    """So many hundredths of an amount, 0 to 100, such as Decimal("12.5"). Raises MoneyError."""

    value: Decimal

    def __post_init__(self) -> None:
        if not self.value.is_finite() or not 0 <= self.value <= 100:
            raise MoneyError("a percentage is 0 to 100")

    def of(self, amount: Money) -> Money:
        return Money.rounded(amount.decimal * self.value / 100, amount.currency)


Discount = Money | Percent


@dataclass(frozen=True, slots=True)
class BasketLine:
    """unit_price: tax-inclusive; tax_rate: a fraction such as 0.16; discount: off the line, not off each unit."""

    unit_price: Money
    quantity: int
    tax_rate: Decimal
    discount: Discount


@dataclass(frozen=True, slots=True)
class LineTotals:
    """discount: the line's own plus its share of the basket's; tax: contained in total."""

    gross: Money
    discount: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class BasketTotals:
    lines: tuple[LineTotals, ...]
    subtotal: Money
    discount: Money
    tax: Money
    total: Money


def basket_totals(lines: Sequence[BasketLine], discount: Discount) -> BasketTotals:
    """Totals of at least one line, all in one currency; `discount` is taken off the whole basket.

    Raises:
        DiscountTooLarge: a discount beyond its line, or beyond what the lines cost together.
        MoneyError: mixed currencies, a negative price, quantity, rate or discount, or an amount out of range.
    """
    if not lines:
        raise MoneyError("a basket needs lines")
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.minor < 0 or line.quantity < 1 or line.tax_rate < 0:
            raise MoneyError("prices, quantities and rates cannot be negative")
    gross = [line.unit_price * line.quantity for line in lines]
    own = [_taken_off(line.discount, gross[index], index) for index, line in enumerate(lines)]
    before = [amount - off for amount, off in zip(gross, own, strict=True)]
    shares = _shares(_taken_off(discount, total(before, currency), None), before)
    return _summed(
        [_line(line, amount, off + share) for line, amount, off, share in zip(lines, gross, own, shares, strict=True)],
        currency,
    )


def _taken_off(discount: Discount, amount: Money, line: int | None) -> Money:
    off = discount.of(amount) if isinstance(discount, Percent) else discount
    if off.minor < 0:
        raise MoneyError("a discount cannot be negative")
    if off > amount:
        raise DiscountTooLarge(line)
    return off


def _shares(discount: Money, amounts: Sequence[Money]) -> list[Money]:
    if not discount:
        return [discount for _ in amounts]
    return discount.split([amount.minor for amount in amounts])


def _line(line: BasketLine, gross: Money, discount: Money) -> LineTotals:
    charged = gross - discount
    return LineTotals(gross=gross, discount=discount, tax=charged.included_tax(line.tax_rate), total=charged)


def _summed(lines: Sequence[LineTotals], currency: Currency) -> BasketTotals:
    tax = total((line.tax for line in lines), currency)
    return BasketTotals(
        lines=tuple(lines),
        subtotal=total((line.gross for line in lines), currency) - tax,
        discount=total((line.discount for line in lines), currency),
        tax=tax,
        total=total((line.total for line in lines), currency),
    )
