"""Queries over products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, Select, and_, exists, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from catalog.products.models import Product
from catalog.stock.models import StockLevel

_available = (
    select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
    .where(StockLevel.product_id == Product.id)
    .scalar_subquery()
    .label("stock")
)
_levels = StockLevel.product_id == Product.id
_low = or_(
    not_(exists().where(_levels)),
    exists().where(and_(_levels, StockLevel.on_hand <= Product.min_stock)),
)


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """None leaves a filter out."""

    q: str | None = None
    category: str | None = None
    barcode: str | None = None
    sku: str | None = None
    low_stock: bool | None = None
    is_active: bool | None = None


async def find(session: AsyncSession, product_id: UUID) -> Row[Product, int] | None:
    """The living product and its available stock."""
    statement = select(Product, _available).where(Product.id == product_id, Product.deleted_at.is_(None))
    return (await session.execute(statement)).first()


async def lock(session: AsyncSession, product_id: UUID) -> Row[Product, int] | None:
    """`find`, holding the row against other changes until the transaction ends."""
    statement = (
        select(Product, _available)
        .where(Product.id == product_id, Product.deleted_at.is_(None))
        .with_for_update(key_share=True, of=Product)
    )
    return (await session.execute(statement)).first()


async def page(
    session: AsyncSession, businesses: Sequence[UUID] | None, filters: ProductFilters, paging: PageParams
) -> Slice:
    """Living products of these businesses (None: of all), newest first."""
    statement: Select[Any] = select(Product, _available).where(Product.deleted_at.is_(None), *_conditions(filters))
    if businesses is not None:
        statement = statement.where(Product.business_id.in_(businesses))
    return await fetch_page(session, statement, paging, created_at=Product.created_at, id=Product.id)


def _conditions(filters: ProductFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, wanted in (
        (Product.category, filters.category),
        (Product.barcode, filters.barcode),
        (Product.sku, filters.sku),
        (Product.is_active, filters.is_active),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    if filters.q is not None:
        conditions.append(_matches(filters.q))
    if filters.low_stock is not None:
        conditions.append(_low if filters.low_stock else not_(_low))
    return conditions


def _matches(q: str) -> ColumnElement[bool]:
    """Every word of q begins a word of the product, or q resembles a part of it (a typo)."""
    words = Product.search.op("@@")(func.search_query(q))
    resembles = func.search_form(q).op("<%")(Product.search_text)
    return or_(words, resembles)
