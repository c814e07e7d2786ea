"""The amounts of a document as WSFEv1 adds them up. Pure.

The gross is what was charged and never changes. ARCA compares the VAT of each rate with its base times the rate (error
10051), while a sale rounds it line by line; where the sum of the lines strays further than a centavo, the VAT is taken
out of the rate's gross as a whole, which is never more than a centavo away.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kernel import Money

from fiscal.ar.codes import VAT_IDS
from fiscal.document import FiscalDocument, TaxKind
from fiscal.errors import Message, Rejected

_TOLERANCE: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class VatGroup:
    """rate_id: of FEParamGetTiposIva."""

    rate_id: int
    rate: Decimal
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Amounts:
    """untaxed: ImpTotConc, of lines not subject to VAT. exempt: ImpOpEx. total = untaxed + exempt + net + vat."""

    total: Money
    untaxed: Money
    exempt: Money
    net: Money
    vat: Money
    groups: tuple[VatGroup, ...]


def amounts(document: FiscalDocument, *, with_vat: bool) -> Amounts:
    """with_vat: of classes A and B; C says one amount alone. Raises Rejected for a tax that is not VAT at one of ARCA's
    rates."""
    zero = Money.zero(document.currency)
    total = document.total
    if not with_vat:
        return Amounts(total, zero, zero, total, zero, ())
    untaxed = exempt = zero
    gross: defaultdict[Decimal, Money] = defaultdict(lambda: zero)
    taxes: defaultdict[Decimal, Money] = defaultdict(lambda: zero)
    for line in document.lines:
        if not line.taxes:
            untaxed += line.gross
            continue
        tax = line.taxes[0]
        if len(line.taxes) > 1 or tax.kind is not TaxKind.VAT or (tax.rate and tax.rate.normalize() not in VAT_IDS):
            text = "Una línea tiene un impuesto que no es IVA a una alícuota de ARCA"
            raise Rejected([Message("alicuota_desconocida", text)])
        if not tax.rate:
            exempt += line.gross
            continue
        gross[tax.rate.normalize()] += line.gross
        taxes[tax.rate.normalize()] += tax.amount
    groups = tuple(_group(rate, gross[rate], taxes[rate]) for rate in sorted(gross))
    net = sum((group.base for group in groups), zero)
    vat = sum((group.tax for group in groups), zero)
    return Amounts(total, untaxed, exempt, net, vat, groups)


def _group(rate: Decimal, gross: Money, tax: Money) -> VatGroup:
    if abs((gross - tax).decimal * rate - tax.decimal) > _TOLERANCE:
        tax = gross.included_tax(rate)
    return VatGroup(VAT_IDS[rate], rate, gross - tax, tax)
