"""Queries over products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
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

# Each match counted is a row looked at.
_SEARCH_COUNT_CAP: Final = 1_000

_CATEGORIES: Final = text("""
WITH RECURSIVE found AS (
    (SELECT category FROM products
     WHERE business_id = :business AND deleted_at IS NULL AND category IS NOT NULL ORDER BY category LIMIT 1)
    UNION ALL
    SELECT (SELECT category FROM products WHERE business_id = :business AND deleted_at IS NULL
            AND category > found.category ORDER BY category LIMIT 1)
    FROM found WHERE found.category IS NOT NULL
)
SELECT category FROM found WHERE category IS NOT NULL LIMIT :limit
""")

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
    if filters.q is None:
        return await fetch_page(session, statement, paging, created_at=Product.created_at, id=Product.id)
    return await _search_page(session, statement.where(Product.search.op("@@")(func.search_query(filters.q))), paging)


async def resembling(
    session: AsyncSession, businesses: Sequence[UUID] | None, filters: ProductFilters, paging: PageParams
) -> Slice:
    """`page`, with `q` as a typo of a part of the product. Far dearer; needs a transaction, to set its threshold."""
    await session.execute(_RESEMBLANCE)
    statement = _filtered(businesses, filters).where(func.search_form(filters.q).op("<%")(Product.search_text))
    return await _search_page(session, statement, paging)


async def categories(session: AsyncSession, business_id: UUID, limit: int) -> Sequence[str]:
    """The categories that living products have, in order. Leaps from one to the next through the index."""
    return (await session.execute(_CATEGORIES, {"business": business_id, "limit": limit})).scalars().all()


async def _search_page(session: AsyncSession, statement: Select[Any], paging: PageParams) -> Slice:
    return await fetch_page(
        session, statement, paging, created_at=Product.created_at, id=Product.id, count_cap=_SEARCH_COUNT_CAP
    )


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
