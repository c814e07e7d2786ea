"""From a basket and the catalogue's prices to a sale's lines and totals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from kernel import Currency, Money, MoneyError, Unavailable, new_id
from kernel.totals import BasketLine, BasketTotals, DiscountTooLarge, basket_totals

from sales.sales import errors
from sales.sales.models import Sale, SaleItem
from sales.sales.peers import PricedProduct
from sales.sales.status import PaymentMethod


def priced(sale: Sale, products: Mapping[UUID, PricedProduct]) -> BasketTotals:
    """The totals of what the sale's basket costs.

    Raises RuleViolation: discount_too_large, amount_out_of_range, nothing_to_pay, insufficient_tender.
    """
    try:
        lines = [_line(sale, item, products) for item in sale.basket["items"]]
        totals = basket_totals(lines, Money.of(sale.basket["discount"], sale.currency))
    except DiscountTooLarge as error:
        raise errors.discount_too_large(error.line) from None
    except MoneyError:
        raise errors.amount_out_of_range() from None
    except KeyError:
        raise Unavailable("The catalogue gave no price for a product", code="catalog_unavailable") from None
    if sale.payment_method != PaymentMethod.CASH and not totals.total:
        raise errors.nothing_to_pay()
    if sale.tendered is not None and sale.tendered < totals.total.decimal:
        raise errors.insufficient_tender(str(totals.total))
    return totals


def write_prices(sale: Sale, products: Mapping[UUID, PricedProduct], totals: BasketTotals) -> None:
    """Copy names, prices and rates of this moment into the sale."""
    sale.subtotal, sale.tax = totals.subtotal.decimal, totals.tax.decimal
    sale.discount, sale.total = totals.discount.decimal, totals.total.decimal
    if sale.payment_method == PaymentMethod.CASH:
        tendered = sale.tendered if sale.tendered is not None else sale.total
        sale.tendered, sale.change = tendered, tendered - sale.total
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
        discount=Money.of(str(item["discount"]), sale.currency),
    )
