"""How much a refund is, line by line, and which way the money goes. Pure rules over a locked sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from kernel import Money, MoneyError
from kernel.cash import CashRounding, in_cash
from kernel.money import total
from kernel.refunds import RefundPart, SoldLine, refund_amount, refund_rest, refund_units

from sales.refunds import errors
from sales.sales.models import Sale, SaleItem


@dataclass(frozen=True, slots=True)
class Units:
    """So many units of the line (item_id), or of a product wherever the sale has it."""

    quantity: int
    item_id: UUID | None = None
    product_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """units: these goods and their money. amount: money alone. Neither: everything that is left."""

    units: Sequence[Units] | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """parts: by line. cash: the part of amount that goes back in cash; cash_returned: what is handed over for it."""

    parts: Sequence[tuple[SaleItem, RefundPart]]
    amount: Money
    tax: Money
    cash: Money
    cash_returned: Money


def reckon(sale: Sale, wish: Wish, rounding: CashRounding | None) -> Reckoning:
    """Cash before what the provider gives back: it is at hand, and some providers give back a payment as a whole only.

    Raises RuleViolation: nothing_to_refund, refund_exceeds_sale, item_not_in_sale."""
    parts = _parts(sale, wish)
    if not parts:
        raise errors.nothing_to_refund()
    return _routed(sale, parts, rounding, cash_left=sale.cash_amount - sale.cash_refunded)


def reckon_of_provider(sale: Sale, amount: Money) -> Reckoning | None:
    """Money that the provider gave back on its own account, as far as it was not given back before."""
    left = sale.money(sale.total - sale.refund_reserved - (sale.cash_amount - sale.cash_refunded))
    counted = min(amount.minor, left.minor)
    if counted <= 0:
        return None
    parts = _money_alone(sale, Money(counted, amount.currency))
    return _routed(sale, parts, None, cash_left=Decimal(0))


def reserve(sale: Sale, reckoned: Reckoning) -> None:
    """Count it in, so that nobody gives it back a second time."""
    _count(sale, reckoned.parts, reckoned.amount.decimal, reckoned.cash.decimal, reckoned.cash_returned.decimal)


def release(
    sale: Sale, parts: Sequence[tuple[SaleItem, RefundPart]], amount: Decimal, cash: Decimal, cash_returned: Decimal
) -> None:
    """The reverse of `reserve`, for a refund that failed."""
    undone = [(item, RefundPart(-part.quantity, -part.amount, -part.tax)) for item, part in parts]
    _count(sale, undone, -amount, -cash, -cash_returned)


def sold_line(sale: Sale, item: SaleItem) -> SoldLine:
    return SoldLine(
        quantity=item.quantity,
        total=sale.money(item.total),
        tax=sale.money(item.tax),
        tax_rate=item.tax_rate,
        refunded_quantity=item.refunded_quantity,
        refunded_amount=sale.money(item.refunded_amount),
        refunded_tax=sale.money(item.refunded_tax),
    )


def _parts(sale: Sale, wish: Wish) -> list[tuple[SaleItem, RefundPart]]:
    if wish.units is not None:
        return _of_units(sale, wish.units)
    if wish.amount is not None:
        return _money_alone(sale, wish.amount)
    rest = [(item, refund_rest(sold_line(sale, item))) for item in sale.items]
    return [(item, part) for item, part in rest if part.quantity or part.amount]


def _money_alone(sale: Sale, amount: Money) -> list[tuple[SaleItem, RefundPart]]:
    lines = [sold_line(sale, item) for item in sale.items]
    try:
        shares = refund_amount(lines, amount)
    except MoneyError:
        left = total((line.left for line in lines), amount.currency)
        raise errors.exceeds_sale("amount", str(left)) from None
    return [(item, part) for item, part in zip(sale.items, shares, strict=True) if part.amount]


def _of_units(sale: Sale, wanted: Sequence[Units]) -> list[tuple[SaleItem, RefundPart]]:
    """The same line may be named more than once: what is asked for adds up."""
    taken: dict[UUID, int] = {}
    for index, units in enumerate(wanted):
        named = [item for item in sale.items if units.item_id == item.id or units.product_id == item.product_id]
        if not named:
            raise errors.item_not_found(index)
        missing = units.quantity
        for item in named:
            free = item.quantity - item.refunded_quantity - taken.get(item.id, 0)
            share = min(free, missing)
            taken[item.id] = taken.get(item.id, 0) + share
            missing -= share
        if missing:
            raise errors.exceeds_sale(f"items.{index}.quantity", str(units.quantity - missing))
    return [(item, refund_units(sold_line(sale, item), taken[item.id])) for item in sale.items if taken.get(item.id)]


def _routed(
    sale: Sale, parts: Sequence[tuple[SaleItem, RefundPart]], rounding: CashRounding | None, *, cash_left: Decimal
) -> Reckoning:
    zero = sale.money(Decimal(0))
    amount = total((part.amount for _, part in parts), zero.currency)
    left = sale.total - sale.refund_reserved
    if amount.decimal > left:
        raise errors.exceeds_sale("amount", str(sale.money(left)))
    cash = sale.money(min(amount.decimal, cash_left))
    in_drawer = sale.money(sale.cash_paid - sale.cash_returned)
    # Whoever gets the last of it gets what was paid: the roundings of the parts before must not add up.
    last = bool(cash) and cash.decimal == cash_left
    returned = in_drawer if last else sale.money(min(in_cash(cash, rounding).decimal, in_drawer.decimal))
    return Reckoning(
        parts=parts,
        amount=amount,
        tax=total((part.tax for _, part in parts), zero.currency),
        cash=cash,
        cash_returned=returned if cash else zero,
    )


def _count(
    sale: Sale, parts: Sequence[tuple[SaleItem, RefundPart]], amount: Decimal, cash: Decimal, cash_returned: Decimal
) -> None:
    sale.refund_reserved += amount
    sale.cash_refunded += cash
    sale.cash_returned += cash_returned
    for item, part in parts:
        item.refunded_quantity += part.quantity
        item.refunded_amount += part.amount.decimal
        item.refunded_tax += part.tax.decimal
