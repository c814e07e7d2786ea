"""The one way in which a person's movements reach the stock: level, movement and events together."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.database import UnitOfWork
from kernel import new_id

from catalog.products.models import Product
from catalog.stock import repository
from catalog.stock.errors import insufficient_stock
from catalog.stock.events import ChangedLevel, events_of
from catalog.stock.models import StockMovement
from catalog.stock.movement import Change, MovementType


async def record(
    unit: UnitOfWork,
    product: Product,
    kind: MovementType,
    changes: Sequence[Change],
    *,
    reason: str | None,
    created_by: UUID,
) -> list[StockMovement]:
    """Carry out the changes, in the order given (that of their branches). Raises RuleViolation (insufficient_stock)."""
    transfer_id = new_id() if kind is MovementType.TRANSFER else None
    recorded = []
    for change in changes:
        level = await _apply(unit, product, change)
        unit.publish(*events_of(level, kind))
        movement = StockMovement(
            id=new_id(),
            business_id=product.business_id,
            product_id=product.id,
            branch_id=change.branch_id,
            type=kind.value,
            change=change.change,
            on_hand=level.on_hand,
            reason=reason,
            transfer_id=transfer_id,
            other_branch_id=change.other_branch_id,
            created_by=created_by,
            created_at=unit.clock.now(),
        )
        recorded.append(movement)
    unit.session.add_all(recorded)
    return recorded


async def _apply(unit: UnitOfWork, product: Product, change: Change) -> ChangedLevel:
    session, branch_id = unit.session, change.branch_id
    if change.change > 0:
        row = await repository.increase(session, product.business_id, product.id, branch_id, change.change)
    else:
        taken = await repository.decrease(session, product.id, branch_id, -change.change)
        if taken is None and await repository.open_level(session, product.business_id, product.id, branch_id):
            taken = await repository.decrease(session, product.id, branch_id, -change.change)
        if taken is None:
            raise insufficient_stock({product.id: await repository.available(session, product.id, branch_id)})
        row = taken
    return ChangedLevel(
        id=row.id,
        business_id=product.business_id,
        product_id=product.id,
        branch_id=branch_id,
        on_hand=row.on_hand,
        reserved=row.reserved,
        version=row.version,
        change=change.change,
        product_name=product.name,
        min_stock=product.min_stock,
    )
