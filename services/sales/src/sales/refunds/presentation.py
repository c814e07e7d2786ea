"""A refund as its callers see it."""

from __future__ import annotations

from decimal import Decimal

from chassis.database.idempotency import Answer
from chassis.http.schemas import Data

from sales.refunds.models import Refund, RefundItem
from sales.refunds.schemas import RefundItemOut, RefundOut, RefundPartOut
from sales.refunds.status import RefundStatus
from sales.sales.models import Sale, SaleItem
from sales.sales.status import PaymentMethod, SaleStatus


def present(sale: Sale, refund: Refund) -> RefundOut:
    """The sale's items must be loaded."""
    lines = {item.id: item for item in sale.items}
    return RefundOut(
        id=refund.id,
        sale_id=refund.sale_id,
        business_id=refund.business_id,
        branch_id=refund.branch_id,
        status=RefundStatus(refund.status),
        sale_status=SaleStatus(sale.status),
        currency=sale.currency,
        amount=_text(sale, refund.amount),
        tax=_text(sale, refund.tax),
        rounding=_text(sale, refund.cash_returned - refund.cash_amount),
        parts=_parts(sale, refund),
        items=[_item(sale, lines[item.sale_item_id], item) for item in refund.items],
        restock=refund.restock,
        reason=refund.reason,
        cash_session_id=refund.cash_session_id,
        failure_reason=refund.failure_reason,
        note=refund.note,
        origin=refund.origin,
        created_by=refund.created_by,
        created_at=refund.created_at,
        completed_at=refund.completed_at,
    )


def answer(sale: Sale, refund: Refund) -> Answer:
    """{"data": refund} as bytes, to be given and stored alike."""
    return Answer(201, Data[RefundOut](data=present(sale, refund)).model_dump_json(by_alias=True).encode())


def _parts(sale: Sale, refund: Refund) -> list[RefundPartOut]:
    parts = []
    if refund.cash_amount:
        handed = _text(sale, refund.cash_returned)
        parts.append(RefundPartOut(method=PaymentMethod.CASH, amount=handed, transaction_id=None))
    if refund.provider_amount:
        method, amount = PaymentMethod(sale.payment_method), _text(sale, refund.provider_amount)
        parts.append(RefundPartOut(method=method, amount=amount, transaction_id=sale.transaction_id))
    return parts


def _item(sale: Sale, line: SaleItem, item: RefundItem) -> RefundItemOut:
    return RefundItemOut(
        item_id=line.id,
        product_id=line.product_id,
        name=line.name,
        quantity=item.quantity,
        amount=_text(sale, item.amount),
        tax=_text(sale, item.tax),
    )


def _text(sale: Sale, amount: Decimal) -> str:
    return str(sale.money(amount))
