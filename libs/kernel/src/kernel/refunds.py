"""What giving back a part of a sold line is worth.

A line was sold for `total`, of which `tax` is tax. Parts of it are given back by quantity (goods return) or by amount
(money alone). However a line is cut up, and in whatever order, the parts add up to exactly `total` and exactly `tax`,
and every part alone satisfies 0 <= tax <= amount. A part that fell through is put back as if it had never been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from kernel.money import Money, MoneyError
from kernel.money import total as sum_of


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as it was sold, and how much of it has been given back so far.

    total: what was charged for `quantity` units after discounts, tax included; tax: contained in total.
    refunded_*: the sums over the parts given back, whose goods may be fewer than their money.
    """

    quantity: int
    total: Money
    tax: Money
    tax_rate: Decimal
    refunded_quantity: int
    refunded_amount: Money
    refunded_tax: Money

    @property
    def units_left(self) -> int:
        return self.quantity - self.refunded_quantity

    @property
    def left(self) -> Money:
        return self.total - self.refunded_amount

    def after(self, part: RefundPart) -> SoldLine:
        return replace(
            self,
            refunded_quantity=self.refunded_quantity + part.quantity,
            refunded_amount=self.refunded_amount + part.amount,
            refunded_tax=self.refunded_tax + part.tax,
        )


@dataclass(frozen=True, slots=True)
class RefundPart:
    """quantity: units that come back, 0 for money alone. amount: tax included. tax: contained in amount."""

    quantity: int
    amount: Money
    tax: Money


def refund_units(line: SoldLine, quantity: int) -> RefundPart:
    """`quantity` of the units that are left, and their share of the money that is left: the last unit takes the rest.

    Raises MoneyError for more than there is.
    """
    if not 0 < quantity <= line.units_left:
        raise MoneyError("more units than are left of the line")
    amount = line.left.split([quantity, line.units_left - quantity])[0]
    return RefundPart(quantity, amount, _tax(line, amount))


def refund_rest(line: SoldLine) -> RefundPart:
    """Everything that is left of the line, of goods and of money: either may be nothing."""
    return RefundPart(line.units_left, line.left, _tax(line, line.left))


def refund_amount(lines: Sequence[SoldLine], amount: Money) -> list[RefundPart]:
    """Money without goods, spread over the lines in proportion to what is left of each.

    Raises MoneyError for more than is left.
    """
    left = sum_of((line.left for line in lines), amount.currency)
    if not 0 < amount.minor <= left.minor:
        raise MoneyError("more money than is left of the sale")
    shares = amount.split([line.left.minor for line in lines])
    return [RefundPart(0, share, _tax(line, share)) for line, share in zip(lines, shares, strict=True)]


def _tax(line: SoldLine, amount: Money) -> Money:
    """What brings the tax given back to the tax contained in the money given back. The bounds keep what is left of the
    line a line too: its tax is never negative, and never more than its money."""
    given_back = line.refunded_amount + amount
    wanted = given_back.included_tax(line.tax_rate) - line.refunded_tax
    tax_left = line.tax - line.refunded_tax
    least = max(0, tax_left.minor - (line.total - given_back).minor)
    most = min(amount.minor, tax_left.minor)
    return Money(min(max(wanted.minor, least), most), amount.currency)
