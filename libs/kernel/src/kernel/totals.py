"""What a basket costs. Prices include tax; the gross is the truth, and the tax is what it contains.

For every line:   gross = unit price x quantity,  total = gross - discount,  tax = total - net(total)
For the basket:   total = sum of line totals,  tax = sum of line taxes,  discount = sum of line discounts,
                  subtotal = sum of line gross - tax, so that  subtotal - discount + tax = total  always holds.

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
class BasketLine:
    """unit_price: tax-inclusive; tax_rate: a fraction such as 0.16; discount: off the line, not off each unit."""

    unit_price: Money
    quantity: int
    tax_rate: Decimal
    discount: Money


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


def basket_totals(lines: Sequence[BasketLine], discount: Money) -> BasketTotals:
    """Totals of at least one line, all in the currency of `discount`, which is taken off the whole basket.

    Raises:
        DiscountTooLarge: a discount beyond its line, or beyond what the lines cost together.
        MoneyError: mixed currencies, a negative price, quantity, rate or discount, or an amount out of range.
    """
    currency = discount.currency
    for line in lines:
        if line.unit_price.minor < 0 or line.quantity < 1 or line.discount.minor < 0 or line.tax_rate < 0:
            raise MoneyError("prices, quantities, rates and discounts cannot be negative")
    if not lines or discount.minor < 0:
        raise MoneyError("a basket needs lines, and a discount cannot be negative")
    gross = [line.unit_price * line.quantity for line in lines]
    for index, line in enumerate(lines):
        if line.discount > gross[index]:
            raise DiscountTooLarge(index)
    before = [amount - line.discount for amount, line in zip(gross, lines, strict=True)]
    shares = _shares(discount, before)
    return _summed(
        [_line(line, amount, line.discount + share) for line, amount, share in zip(lines, gross, shares, strict=True)],
        currency,
    )


def _shares(discount: Money, amounts: Sequence[Money]) -> list[Money]:
    if discount > total(amounts, discount.currency):
        raise DiscountTooLarge(None)
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
