"""Amounts of a UBL document out of what was charged. Pure Decimal.

The net of a line is its gross less its tax, so the sums are what was charged, to the cent. One gross price in seven
has no net from which the rate leads back to it: such a line differs from base times rate by less than a cent; two
pesos are tolerated. Prices before discount carry up to six decimals.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from fiscal.document import FiscalDocument, Line, TaxKind
from fiscal.errors import Message, Rejected

_CENT: Final = Decimal("0.01")
_SIX: Final = Decimal("0.000001")
_ZERO: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class UblLine:
    """base: before discount, without tax. base less discount is net. price: base over quantity."""

    line: Line
    base: Decimal
    discount: Decimal
    net: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class TaxSum:
    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Amounts:
    """net: of all lines. taxed: of those subject to a tax. taxes: by kind, each by rate."""

    lines: tuple[UblLine, ...]
    net: Decimal
    taxed: Decimal
    taxes: dict[TaxKind, tuple[TaxSum, ...]]
    total: Decimal

    def tax(self, kind: TaxKind) -> Decimal:
        return sum((item.amount for item in self.taxes.get(kind, ())), _ZERO)


def amounts_of(document: FiscalDocument) -> Amounts:
    """Raises Rejected where nothing was charged."""
    if not document.total:
        raise Rejected([Message("amount", "No hay valor que facturar")])
    lines = tuple(_line(line) for line in document.lines)
    sums: dict[TaxKind, list[TaxSum]] = {}
    for (kind, rate), (base, amount) in document.taxes().items():
        sums.setdefault(kind, []).append(TaxSum(rate, base.decimal, amount.decimal))
    return Amounts(
        lines=lines,
        net=document.net.decimal,
        taxed=sum((line.net.decimal for line in document.lines if line.taxes), _ZERO),
        taxes={kind: tuple(items) for kind, items in sums.items()},
        total=document.total.decimal,
    )


def _line(line: Line) -> UblLine:
    net = line.net.decimal
    rates = sum((tax.rate for tax in line.taxes), Decimal(0))
    discount = (line.discount.decimal / (1 + rates)).quantize(_CENT, ROUND_HALF_EVEN)
    base = net + discount
    return UblLine(line, base, discount, net, (base / line.quantity).quantize(_SIX, ROUND_HALF_EVEN))


def two(value: Decimal) -> str:
    """As amounts are written, and as they enter the CUFE: two decimals."""
    return f"{value.quantize(_CENT, ROUND_HALF_EVEN):f}"


def price(value: Decimal) -> str:
    """Two decimals, or as many of six as it has."""
    whole, _, places = f"{value:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
