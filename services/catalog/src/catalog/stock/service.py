"""The use cases of stock that a person carries out."""

from __future__ import annotations

from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.database import UnitOfWork
from chassis.database.idempotency import Answer, IdempotencyScope
from chassis.http.pagination import PageParams, as_page
from chassis.http.schemas import Data, Page

from catalog.context import CatalogContext
from catalog.products.service import visible_product
from catalog.stock import ledger, repository
from catalog.stock.movement import MovementType, changes_of
from catalog.stock.schemas import MovementCreate, MovementOut, StockLevelOut


async def list_levels(ctx: CatalogContext, caller: Principal, product_id: UUID) -> list[StockLevelOut]:
    """One per branch in which the product was ever moved."""
    await visible_product(ctx, caller, product_id, Permission.READ)
    async with ctx.database.read() as session:
        found = await repository.levels(session, product_id)
    return [
        StockLevelOut(
            branch_id=level.branch_id,
            on_hand=level.on_hand,
            reserved=level.reserved,
            available=level.on_hand - level.reserved,
        )
        for level in found
    ]


async def list_movements(
    ctx: CatalogContext,
    caller: Principal,
    product_id: UUID,
    paging: PageParams,
    *,
    branch_id: UUID | None,
    kind: MovementType | None,
) -> Page[MovementOut]:
    await visible_product(ctx, caller, product_id, Permission.READ)
    async with ctx.database.read() as session:
        found = await repository.movements(session, paging, product_id=product_id, branch_id=branch_id, kind=kind)
    return as_page(found, lambda row: MovementOut.of(row.StockMovement))


async def list_history(
    ctx: CatalogContext,
    caller: Principal,
    business_id: UUID | None,
    paging: PageParams,
    *,
    branch_id: UUID | None,
    kind: MovementType | None,
) -> Page[MovementOut]:
    """The movements of all products, of those that were deleted as well. Raises NotFound (business)."""
    businesses = await ctx.access.visible(caller, business_id)
    async with ctx.database.read() as session:
        found = await repository.movements(session, paging, businesses=businesses, branch_id=branch_id, kind=kind)
    return as_page(found, lambda row: MovementOut.of(row.StockMovement))


async def record_movement(
    ctx: CatalogContext, caller: Principal, scope: IdempotencyScope, product_id: UUID, request: MovementCreate
) -> Answer:
    """The movement; of a transfer the one that leaves.

    Raises NotFound (product_not_found, branch_not_found), Forbidden, InvalidInput, RuleViolation (insufficient_stock).
    """
    product, _ = await visible_product(ctx, caller, product_id, Permission.MANAGE)
    changes = changes_of(request.type, request.quantity, request.branch_id, request.to_branch_id)
    for change in changes:
        await ctx.directory.branch(product.business_id, change.branch_id)

    async def work(unit: UnitOfWork) -> Data[MovementOut]:
        kind = MovementType(request.type)
        movements = await ledger.record(unit, product, kind, changes, reason=request.reason, created_by=caller.user_id)
        asked_for = next(movement for movement in movements if movement.branch_id == request.branch_id)
        return Data(data=MovementOut.of(asked_for))

    return await ctx.idempotency.run(scope, work)
