"""What can be paid in coins. A country that has no small coins any more rounds what is paid in cash, and only that.

The difference is an adjustment of the payment: prices, taxes and totals stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kernel.country import Country
from kernel.money import Currency, Money, MoneyError


class RoundingMode(StrEnum):
    """NEAREST: to the nearer step, a tie goes down (in the buyer's favour). DOWN: always in the buyer's favour."""

    NEAREST = "NEAREST"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class CashRounding:
    """step: the smallest amount that can be paid in cash, more than nothing. Raises MoneyError."""

    step: Money
    mode: RoundingMode = RoundingMode.NEAREST

    def __post_init__(self) -> None:
        if self.step.minor <= 0:
            raise MoneyError("cash is rounded to steps of more than nothing")

    def apply(self, amount: Money) -> Money:
        """What is handed over for an amount that is not negative."""
        rest = amount.minor % self.step.minor
        up = self.mode is RoundingMode.NEAREST and 2 * rest > self.step.minor
        rounded = amount.minor - rest + (self.step.minor if up else 0)
        return Money(rounded, (amount - self.step).currency)


# Chile, Law 20.956 and the Banco Central's rule since 1 November 2017: coins of 1 and 5 pesos are no longer made, cash
# totals ending in 1 to 5 are rounded down to the ten and 6 to 9 up. The other three countries have no such law.
CASH_ROUNDING: Final[Mapping[Country, CashRounding]] = MappingProxyType(
    {Country.CL: CashRounding(Money(10, Currency.CLP))}
)


def in_cash(amount: Money, rounding: CashRounding | None) -> Money:
    return amount if rounding is None else rounding.apply(amount)
