"""Changes of a sale as events. The sale's items must be loaded for a completion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from contracts.events.base import MoneyAmount
from contracts.events.sales import SaleCanceled, SaleCompleted, SaleCreated, SaleItem

from sales.sales import models
from sales.sales.models import Sale


def created(sale: Sale) -> SaleCreated:
    return SaleCreated(**_snapshot(sale))


def completed(sale: Sale) -> SaleCompleted:
    assert sale.completed_at is not None
    return SaleCompleted(
        **_snapshot(sale), completed_at=sale.completed_at, items=[_item(sale, item) for item in sale.items]
    )


def canceled(sale: Sale) -> SaleCanceled:
    assert sale.canceled_at is not None
    assert sale.cancel_reason is not None
    return SaleCanceled(**_snapshot(sale), canceled_at=sale.canceled_at, reason=sale.cancel_reason)


def _snapshot(sale: Sale) -> dict[str, Any]:
    return {
        "aggregate_id": sale.id,
        "aggregate_version": sale.version,
        "business_id": sale.business_id,
        "branch_id": sale.branch_id,
        "status": str(sale.status),
        "payment_method": str(sale.payment_method),
        "transaction_id": sale.transaction_id,
        "subtotal": _amount(sale, sale.subtotal),
        "discount": _amount(sale, sale.discount),
        "tax": _amount(sale, sale.tax),
        "total": _amount(sale, sale.total),
        "time_zone": sale.time_zone,
        "created_at": sale.created_at,
    }


def _item(sale: Sale, item: models.SaleItem) -> SaleItem:
    return SaleItem(
        product_id=item.product_id,
        name=item.name,
        quantity=item.quantity,
        unit_price=_amount(sale, item.unit_price),
        discount=_amount(sale, item.discount),
        tax=_amount(sale, item.tax),
        total=_amount(sale, item.total),
    )


def _amount(sale: Sale, amount: Decimal) -> MoneyAmount:
    return MoneyAmount.of(sale.money(amount))
