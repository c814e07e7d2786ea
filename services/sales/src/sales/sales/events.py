"""Changes of a sale as events. The sale's items must be loaded for a completion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.events.base import MoneyAmount
from contracts.events.sales import SaleCanceled, SaleCompleted, SaleCreated, SaleItem, SalePart
from kernel import Money

from sales.sales import models
from sales.sales.models import Sale
from sales.sales.status import PaymentMethod


def created(sale: Sale) -> SaleCreated:
    return SaleCreated(**snapshot(sale))


def completed(sale: Sale) -> SaleCompleted:
    assert sale.completed_at is not None
    return SaleCompleted(
        **snapshot(sale),
        completed_at=sale.completed_at,
        items=[_item(sale, item) for item in sale.items],
        sold_at=sale.sold_at or sale.completed_at,
        payments=[
            SalePart(method=method, amount=MoneyAmount.of(amount), payment_id=payment_id)
            for method, amount, payment_id in parts(sale)
        ],
        cash_session_id=sale.cash_session_id,
    )


def canceled(sale: Sale) -> SaleCanceled:
    assert sale.canceled_at is not None
    assert sale.cancel_reason is not None
    return SaleCanceled(**snapshot(sale), canceled_at=sale.canceled_at, reason=sale.cancel_reason)


def snapshot(sale: Sale) -> dict[str, Any]:
    """What every event of a sale says."""
    return {
        "aggregate_id": sale.id,
        "aggregate_version": sale.version,
        "business_id": sale.business_id,
        "branch_id": sale.branch_id,
        "status": str(sale.status),
        "payment_method": str(sale.payment_method),
        "transaction_id": sale.transaction_id,
        "subtotal": amount_of(sale, sale.subtotal),
        "discount": amount_of(sale, sale.discount),
        "tax": amount_of(sale, sale.tax),
        "total": amount_of(sale, sale.total),
        "time_zone": sale.time_zone,
        "created_at": sale.created_at,
    }


def parts(sale: Sale) -> list[tuple[str, Money, UUID | None]]:
    """Method, what was handed over, and the payment's id: together total and rounding."""
    paid: list[tuple[str, Money, UUID | None]] = []
    if sale.payment_method == PaymentMethod.CASH or sale.cash_amount:
        paid.append((PaymentMethod.CASH.value, sale.money(sale.cash_paid), None))
    if sale.provider_amount:
        paid.append((str(sale.payment_method), sale.money(sale.provider_amount), sale.transaction_id))
    return paid


def _item(sale: Sale, item: models.SaleItem) -> SaleItem:
    return SaleItem(
        product_id=item.product_id,
        name=item.name,
        quantity=item.quantity,
        unit_price=amount_of(sale, item.unit_price),
        discount=amount_of(sale, item.discount),
        tax=amount_of(sale, item.tax),
        total=amount_of(sale, item.total),
    )


def amount_of(sale: Sale, amount: Decimal) -> MoneyAmount:
    return MoneyAmount.of(sale.money(amount))
