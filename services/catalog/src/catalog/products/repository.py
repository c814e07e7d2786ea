"""Queries over products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, Select, and_, exists, func, not_, or_, select, text
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

# One wrong letter in a word of five leaves half of its trigrams; the default of 0.6 would not forgive that.
_RESEMBLANCE = text("SELECT set_config('pg_trgm.word_similarity_threshold', '0.5', true)")


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
    """Living products of these businesses (None: of all), newest first; of `q` every word begins one of theirs."""
    statement = _filtered(businesses, filters)
    if filters.q is not None:
        statement = statement.where(Product.search.op("@@")(func.search_query(filters.q)))
    return await fetch_page(session, statement, paging, created_at=Product.created_at, id=Product.id)


async def resembling(
    session: AsyncSession, businesses: Sequence[UUID] | None, filters: ProductFilters, paging: PageParams
) -> Slice:
    """`page`, with `q` as a typo of a part of the product. Far dearer; needs a transaction, to set its threshold."""
    await session.execute(_RESEMBLANCE)
    statement = _filtered(businesses, filters).where(func.search_form(filters.q).op("<%")(Product.search_text))
    return await fetch_page(session, statement, paging, created_at=Product.created_at, id=Product.id)


def _filtered(businesses: Sequence[UUID] | None, filters: ProductFilters) -> Select[Any]:
    statement: Select[Any] = select(Product, _available).where(Product.deleted_at.is_(None), *_conditions(filters))
    return statement if businesses is None else statement.where(Product.business_id.in_(businesses))


def _conditions(filters: ProductFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        column == wanted
        for column, wanted in (
            (Product.category, filters.category),
            (Product.barcode, filters.barcode),
            (Product.sku, filters.sku),
            (Product.is_active, filters.is_active),
        )
        if wanted is not None
    ]
    if filters.low_stock is not None:
        conditions.append(_low if filters.low_stock else not_(_low))
    return conditions
