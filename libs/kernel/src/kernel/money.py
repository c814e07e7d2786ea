"""Money as integer minor units and a currency. There is no float in here, and nowhere else either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum


class Currency(StrEnum):
    """The currencies Cobro settles in, with their minor units as used in storage and JSON."""

    MXN = "MXN"
    COP = "COP"
    ARS = "ARS"
    CLP = "CLP"

    @property
    def exponent(self) -> int:
        """Decimals of one unit: 2, but 0 for the Chilean peso."""
        return 0 if self is Currency.CLP else 2

    @property
    def quantum(self) -> Decimal:
        return Decimal(1).scaleb(-self.exponent)


# numeric(18,2) columns hold 16 integer digits; anything beyond is refused before it reaches the database.
_MAX_MINOR = 10**15


class MoneyError(ValueError):
    """An amount that is no money: not a number, too precise for its currency, too large, or of mixed currency."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in integer minor units (centavos; whole pesos in Chile)."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise MoneyError("minor units must be an integer")
        if abs(self.minor) > _MAX_MINOR:
            raise MoneyError("amount is out of range")

    @classmethod
    def zero(cls, currency: Currency) -> Money:
        return cls(0, currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: Currency | str) -> Money:
        """Parse a decimal amount exactly. Raises MoneyError where rounding would be needed."""
        currency = parse_currency(currency)
        value = _finite(amount)
        scaled = value.scaleb(currency.exponent)
        if scaled != scaled.to_integral_value():
            raise MoneyError(f"at most {currency.exponent} decimals are allowed for {currency}")
        return cls(int(scaled), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: Currency) -> Money:
        """Round half up to the currency's minor unit (the commercial rule of all four countries)."""
        return cls(int(_finite(amount).scaleb(currency.exponent).quantize(Decimal(1), ROUND_HALF_UP)), currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-self.currency.exponent)

    def __str__(self) -> str:
        """The JSON form: a plain decimal string with the currency's number of decimals, such as 150.50."""
        return f"{self.decimal:.{self.currency.exponent}f}"

    def _same(self, other: Money) -> Money:
        if other.currency is not self.currency:
            raise MoneyError(f"cannot combine {self.currency} with {other.currency}")
        return other

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, factor: int) -> Money:
        if not isinstance(factor, int):
            raise MoneyError("multiply by an integer, or use Money.rounded")
        return Money(self.minor * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other).minor

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def included_tax(self, rate: Decimal) -> Money:
        """The tax inside a tax-inclusive amount: gross - round(gross / (1 + rate)). The gross is never changed."""
        net = Money.rounded(self.decimal / (1 + rate), self.currency)
        return self - net

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Spread over weights so that the parts add up exactly (largest remainders take the left-over units)."""
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise MoneyError("weights must be non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for index in by_remainder[: whole - sum(parts)]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]


def total(amounts: Iterable[Money], currency: Currency) -> Money:
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def parse_currency(value: Currency | str) -> Currency:
    try:
        return Currency(value)
    except ValueError:
        raise MoneyError(f"unknown currency {str(value)[:8]!r}") from None


def _finite(amount: str | int | Decimal) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise MoneyError("amount must be a decimal string")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise MoneyError("amount must be a decimal number") from None
    # The exponent is looked at before any scaling, so that 1e999999999 costs nothing.
    if not value.is_finite() or value.adjusted() > 18 or value.as_tuple().exponent < -30:  # type: ignore[operator]
        raise MoneyError("amount is out of range")
    return value
