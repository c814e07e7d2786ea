"""What sales asks to be held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Order:
    """lines: quantity by product, in product order. revive: hold again what was released.

    already_sold: the goods have left, so that what is missing is entered and nothing refused. priced_at: the moment
    whose prices count; None for the present.
    """

    business_id: UUID
    branch_id: UUID
    sale_id: UUID
    lines: Mapping[UUID, int]
    expires_at: datetime
    revive: bool = False
    already_sold: bool = False
    priced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GoodsBack:
    """What sales has taken back. lines: quantity by product, in product order. return_id: the refund's."""

    business_id: UUID
    sale_id: UUID
    return_id: UUID
    lines: Mapping[UUID, int]


def merged(lines: Iterable[tuple[UUID, int]]) -> Mapping[UUID, int]:
    """One line per product, in product order."""
    totals: dict[UUID, int] = {}
    for product_id, quantity in lines:
        totals[product_id] = totals.get(product_id, 0) + quantity
    return MappingProxyType(dict(sorted(totals.items())))
