"""A refund that has succeeded, as an event of its sale. The items of both must be loaded."""

from __future__ import annotations

from contracts.events.base import MoneyAmount
from contracts.events.sales import RefundedItem, SalePart, SaleRefunded

from sales.refunds.models import Refund
from sales.sales import events as sales
from sales.sales.models import Sale
from sales.sales.status import PaymentMethod


def refunded(sale: Sale, refund: Refund) -> SaleRefunded:
    assert refund.completed_at is not None
    lines = {item.id: item for item in sale.items}
    return SaleRefunded(
        **sales.snapshot(sale),
        refund_id=refund.id,
        amount=sales.amount_of(sale, refund.amount),
        refunded_tax=sales.amount_of(sale, refund.tax),
        refunded_total=sales.amount_of(sale, sale.refunded_amount),
        parts=_parts(sale, refund),
        items=[
            RefundedItem(
                product_id=lines[item.sale_item_id].product_id,
                name=lines[item.sale_item_id].name,
                quantity=item.quantity,
                amount=sales.amount_of(sale, item.amount),
                tax=sales.amount_of(sale, item.tax),
                restocked=refund.restock,
            )
            for item in refund.items
            if item.quantity
        ],
        reason=refund.reason,
        refunded_at=refund.completed_at,
    )


def _parts(sale: Sale, refund: Refund) -> list[SalePart]:
    parts: list[tuple[str, MoneyAmount, bool]] = []
    if refund.cash_amount:
        parts.append((PaymentMethod.CASH, sales.amount_of(sale, refund.cash_returned), False))
    if refund.provider_amount:
        parts.append((sale.payment_method, sales.amount_of(sale, refund.provider_amount), True))
    return [
        SalePart(method=str(method), amount=amount, payment_id=sale.transaction_id if by_provider else None)
        for method, amount, by_provider in parts
    ]
