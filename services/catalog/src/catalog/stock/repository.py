"""Queries over stock levels and movements."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from kernel import new_id
from sqlalchemy import Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.stock.models import StockLevel, StockMovement
from catalog.stock.movement import MovementType

_LEVEL = (StockLevel.id, StockLevel.on_hand, StockLevel.reserved, StockLevel.version)


async def increase(
    session: AsyncSession, business_id: UUID, product_id: UUID, branch_id: UUID, quantity: int
) -> Row[UUID, int, int, int]:
    """The level after putting `quantity` there, which makes it when there was none."""
    level = insert(StockLevel).values(
        id=new_id(), business_id=business_id, product_id=product_id, branch_id=branch_id, on_hand=quantity
    )
    statement = level.on_conflict_do_update(
        index_elements=[StockLevel.product_id, StockLevel.branch_id],
        set_={"on_hand": StockLevel.on_hand + level.excluded.on_hand, "version": StockLevel.version + 1},
    ).returning(*_LEVEL)
    return (await session.execute(statement)).one()


async def decrease(
    session: AsyncSession, product_id: UUID, branch_id: UUID, quantity: int
) -> Row[UUID, int, int, int] | None:
    """The level after taking `quantity` away; None, and nothing taken, when less than that is available and the level
    may not go below zero."""
    statement = (
        update(StockLevel)
        .where(
            StockLevel.product_id == product_id,
            StockLevel.branch_id == branch_id,
            or_(StockLevel.allow_negative, StockLevel.on_hand - StockLevel.reserved >= quantity),
        )
        .values(on_hand=StockLevel.on_hand - quantity, version=StockLevel.version + 1)
        .returning(*_LEVEL)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first()


async def open_level(session: AsyncSession, business_id: UUID, product_id: UUID, branch_id: UUID) -> bool:
    """An empty level where there was none; a trigger tells it whether it may go below zero. False: there was one."""
    level = insert(StockLevel).values(
        id=new_id(), business_id=business_id, product_id=product_id, branch_id=branch_id, on_hand=0
    )
    statement = level.on_conflict_do_nothing(index_elements=[StockLevel.product_id, StockLevel.branch_id])
    return (await session.execute(statement.returning(StockLevel.id))).first() is not None


async def available(session: AsyncSession, product_id: UUID, branch_id: UUID) -> int:
    statement = select(StockLevel.on_hand - StockLevel.reserved).where(
        StockLevel.product_id == product_id, StockLevel.branch_id == branch_id
    )
    return int((await session.execute(statement)).scalar() or 0)


async def levels(session: AsyncSession, product_id: UUID) -> Sequence[StockLevel]:
    statement = select(StockLevel).where(StockLevel.product_id == product_id).order_by(StockLevel.branch_id)
    return (await session.execute(statement)).scalars().all()


async def movements(
    session: AsyncSession,
    paging: PageParams,
    *,
    businesses: Sequence[UUID] | None = None,
    product_id: UUID | None = None,
    branch_id: UUID | None,
    kind: MovementType | None,
) -> Slice:
    """Newest first. None leaves a filter out."""
    statement = select(StockMovement)
    if businesses is not None:
        statement = statement.where(StockMovement.business_id.in_(businesses))
    if product_id is not None:
        statement = statement.where(StockMovement.product_id == product_id)
    if branch_id is not None:
        statement = statement.where(StockMovement.branch_id == branch_id)
    if kind is not None:
        statement = statement.where(StockMovement.type == kind.value)
    return await fetch_page(session, statement, paging, created_at=StockMovement.created_at, id=StockMovement.id)
