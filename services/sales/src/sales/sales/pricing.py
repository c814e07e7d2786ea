"""From a basket and the catalogue's prices to a sale's lines and totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from kernel import Currency, Money, MoneyError, Unavailable, new_id
from kernel.cash import CashRounding, in_cash
from kernel.totals import BasketLine, BasketTotals, Discount, DiscountTooLarge, Percent, basket_totals

from sales.sales import errors
from sales.sales.models import Sale, SaleItem
from sales.sales.peers import PricedProduct
from sales.sales.status import PaymentMethod


@dataclass(frozen=True, slots=True)
class Priced:
    """cash: the part of the total that is paid in cash. rounding: what coins add to it, or take from it."""

    totals: BasketTotals
    cash: Money
    rounding: Money


def priced(sale: Sale, products: Mapping[UUID, PricedProduct], rounding: CashRounding | None) -> Priced:
    """What the sale's basket costs, and how it is paid.

    Raises RuleViolation: discount_too_large, amount_out_of_range, nothing_to_pay, insufficient_tender,
    payments_do_not_add_up.
    """
    try:
        lines = [_line(sale, item, products) for item in sale.basket["items"]]
        totals = basket_totals(lines, _discount(sale.basket["discount"], sale.currency))
    except DiscountTooLarge as error:
        raise errors.discount_too_large(error.line) from None
    except MoneyError:
        raise errors.amount_out_of_range() from None
    except KeyError:
        raise Unavailable("The catalogue gave no price for a product", code="catalog_unavailable") from None
    if sale.payment_method != PaymentMethod.CASH and not totals.total:
        raise errors.nothing_to_pay()
    cash = _cash(sale, totals.total)
    handed = in_cash(cash, rounding)
    # What was sold offline has been paid, whatever it should have cost: that is told, and refused to nobody.
    if sale.tendered is not None and sale.tendered < handed.decimal and sale.sold_at is None:
        raise errors.insufficient_tender(str(handed))
    return Priced(totals, cash, handed - cash)


def differs_from_till(sale: Sale) -> bool:
    """Whether a till charged, or was given, something else than the sale is worth by the catalogue's prices."""
    charged = sale.till_total is not None and sale.till_total != sale.total
    return charged or (sale.till is not None and sale.tendered is not None and sale.tendered < sale.cash_paid)


def write_prices(sale: Sale, products: Mapping[UUID, PricedProduct], price: Priced) -> None:
    """Copy names, prices and rates of this moment into the sale."""
    totals = price.totals
    sale.subtotal, sale.tax = totals.subtotal.decimal, totals.tax.decimal
    sale.discount, sale.total = totals.discount.decimal, totals.total.decimal
    sale.cash_amount, sale.rounding = price.cash.decimal, price.rounding.decimal
    if sale.payment_method == PaymentMethod.CASH or sale.cash_amount:
        tendered = sale.tendered if sale.tendered is not None else sale.cash_paid
        sale.tendered, sale.change = tendered, max(tendered - sale.cash_paid, Decimal(0))
    for position, (wanted, line) in enumerate(zip(sale.basket["items"], totals.lines, strict=True)):
        product = products[UUID(wanted["productId"])]
        sale.items.append(
            SaleItem(
                id=new_id(),
                sale_id=sale.id,
                business_id=sale.business_id,
                position=position,
                product_id=product.product_id,
                name=product.name,
                sku=product.sku,
                quantity=wanted["quantity"],
                unit_price=product.unit_price.decimal,
                discount=line.discount.decimal,
                tax_rate=product.tax_rate,
                tax=line.tax.decimal,
                total=line.total.decimal,
            )
        )


def _line(sale: Sale, item: Mapping[str, object], products: Mapping[UUID, PricedProduct]) -> BasketLine:
    product = products[UUID(str(item["productId"]))]
    if product.unit_price.currency is not Currency(sale.currency):
        raise MoneyError("the catalogue's currency is not the business's")
    quantity = item["quantity"]
    assert isinstance(quantity, int)
    return BasketLine(
        unit_price=product.unit_price,
        quantity=quantity,
        tax_rate=Decimal(product.tax_rate),
        discount=_discount(item["discount"], sale.currency),
    )


def _discount(asked: object, currency: str) -> Discount:
    if isinstance(asked, Mapping):
        return Percent(Decimal(str(asked["percent"])))
    return Money.of(str(asked), currency)


def _cash(sale: Sale, total: Money) -> Money:
    """How much of the total is paid in cash; what the parts leave open is theirs to fill."""
    zero = Money.zero(total.currency)
    asked = sale.basket.get("parts")
    by_cash_alone = sale.payment_method == PaymentMethod.CASH
    if asked is None:
        return total if by_cash_alone else zero
    named = {name: Money.of(amount, total.currency) for name, amount in asked.items()}
    cash = named["cash"] if "cash" in named else total - named["provider"]
    left = total - cash
    fits = not left if by_cash_alone else left > zero
    enough = cash > zero or "cash" in named
    if not fits or not enough or named.get("provider", left) != left:
        raise errors.parts_do_not_add_up(str(total))
    return cash
