"""Changes of products as events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.events import MoneyAmount
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated
from kernel import Currency, Money

from catalog.products.models import Product

_TOLD: Final = ("id", "name", "sku", "price", "is_active", "category", "cost")

EventT = TypeVar("EventT", ProductCreated, ProductUpdated, ProductDeleted)


def event_of(kind: type[EventT], product: Product) -> EventT:
    """A snapshot of the product as it now is."""
    row = {name: getattr(product, name) for name in _TOLD}
    return event_from(kind, row, product.business_id, product.currency, product.version)


def event_from(
    kind: type[EventT], row: Mapping[str, Any], business_id: UUID, currency: Currency | str, version: int
) -> EventT:
    """The same of a product of which there are only columns."""
    cost = row["cost"]
    return kind(
        aggregate_id=row["id"],
        aggregate_version=version,
        business_id=business_id,
        name=row["name"],
        sku=row["sku"],
        price=MoneyAmount.of(Money.of(row["price"], currency)),
        is_active=row["is_active"],
        category=row["category"],
        cost=None if cost is None else MoneyAmount.of(Money.of(cost, currency)),
    )
