"""Changes of products as events."""

from __future__ import annotations

from typing import TypeVar

from contracts.events import MoneyAmount
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated

from catalog.products.models import Product

EventT = TypeVar("EventT", ProductCreated, ProductUpdated, ProductDeleted)


def event_of(kind: type[EventT], product: Product) -> EventT:
    """A snapshot of the product as it now is."""
    return kind(
        aggregate_id=product.id,
        aggregate_version=product.version,
        business_id=product.business_id,
        name=product.name,
        sku=product.sku,
        price=MoneyAmount.of(product.money(product.price)),
        is_active=product.is_active,
        category=product.category,
        cost=None if product.cost is None else MoneyAmount.of(product.money(product.cost)),
    )
