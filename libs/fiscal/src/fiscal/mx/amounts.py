"""Amounts of a CFDI out of what was charged. Pure Decimal.

Prices at the till include tax. Lines carry six decimals, so that each tax is exactly its base times its rate; the head
carries two, each the rounded sum of its lines, as the rules of Anexo 20 want it. Total is what was charged.

Rounding several sums apart from one another may miss the total by a cent. Then a line gets a discount of less than a
cent and a price higher by as much, which changes no base and no tax, and steers the two rounded sums onto it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from fiscal.document import FiscalDocument, Line, TaxKind
from fiscal.errors import Message, Rejected

_SIX: Final = Decimal("0.000001")
_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)
# Of a cent, in the order in which they are tried.
_STEERING: Final = tuple(Decimal(part) / 10_000 for part in range(1, 100))


@dataclass(frozen=True, slots=True)
class Concept:
    """A line. amount: quantity times unit price before discount. base: amount less discount, on which tax is laid.

    rate: None where the line is not subject to the tax. tax: exactly base times rate, in six decimals.
    """

    line: Line
    unit_price: Decimal
    amount: Decimal
    discount: Decimal
    rate: Decimal | None
    tax: Decimal

    @property
    def base(self) -> Decimal:
        return self.amount - self.discount


@dataclass(frozen=True, slots=True)
class Amounts:
    """taxes: by rate, the rounded sums of bases and of taxes. subtotal less discount plus taxes is total, exactly."""

    concepts: tuple[Concept, ...]
    subtotal: Decimal
    discount: Decimal
    taxes: dict[Decimal, tuple[Decimal, Decimal]]
    total: Decimal

    @property
    def tax(self) -> Decimal:
        return sum((tax for _, tax in self.taxes.values()), _ZERO)


def amounts_of(document: FiscalDocument) -> Amounts:
    """Raises Rejected where nothing was charged, or for taxes that are not IVA."""
    concepts = tuple(_concept(line) for line in document.lines if line.unit_price.minor > 0)
    total = document.total.decimal
    if not concepts or total <= 0:
        raise Rejected([Message("amount", "No hay importe que facturar")])
    for steered in _steered(concepts):
        found = _headed(steered, total)
        if found.subtotal - found.discount + found.tax == total:
            return found
    raise Rejected([Message("rounding", "Los importes de las partidas no suman el total cobrado")])


def _concept(line: Line) -> Concept:
    if any(tax.kind is not TaxKind.VAT for tax in line.taxes) or len(line.taxes) > 1:
        raise Rejected([Message("tax", "Solo se factura IVA, una tasa por partida")])
    rate = line.taxes[0].rate if line.taxes else None
    divisor = 1 + (rate or _ZERO)
    base = _six(line.gross.decimal / divisor)
    amount = _six((line.gross + line.discount).decimal / divisor)
    return Concept(
        line=line,
        unit_price=_six(amount / line.quantity),
        amount=amount,
        discount=amount - base,
        rate=rate if base else None,
        tax=_six(base * rate) if rate is not None else _ZERO,
    )


def _steered(concepts: tuple[Concept, ...]) -> Iterable[tuple[Concept, ...]]:
    yield concepts
    first, *others = concepts
    for part in _STEERING:
        amount = first.amount + part
        changed = replace(
            first, amount=amount, discount=first.discount + part, unit_price=_six(amount / first.line.quantity)
        )
        yield (changed, *others)


def _headed(concepts: Sequence[Concept], total: Decimal) -> Amounts:
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for concept in concepts:
        if concept.rate is not None:
            base, tax = sums.get(concept.rate.normalize(), (_ZERO, _ZERO))
            sums[concept.rate.normalize()] = base + concept.base, tax + concept.tax
    return Amounts(
        concepts=tuple(concepts),
        subtotal=cents(sum((concept.amount for concept in concepts), _ZERO)),
        discount=cents(sum((concept.discount for concept in concepts), _ZERO)),
        taxes={rate: (cents(base), cents(tax)) for rate, (base, tax) in sorted(sums.items(), reverse=True)},
        total=total,
    )


def cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def _six(value: Decimal) -> Decimal:
    return value.quantize(_SIX, ROUND_HALF_UP)
