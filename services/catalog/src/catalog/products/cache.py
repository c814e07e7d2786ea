"""Pages of the catalogue in Redis, for five minutes at most and never an old one.

A key carries the generation of the business's catalogue, which every change of a product raises in its own transaction:
who has read a generation finds pages of that one or a later one. Stock changes with each sale, and is read anew.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson
from chassis.database import SCOPED, Database, Statement
from chassis.http.pagination import PageParams
from chassis.http.schemas import Page
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.context import CatalogContext
from catalog.products.repository import ProductFilters
from catalog.products.schemas import ProductOut

_SECONDS: Final = 300
_GENERATION: Final = Statement(
    f"SELECT generation FROM catalog_generations WHERE business_id = :business AND {SCOPED}"  # noqa: S608 - constants
)
_STOCKS: Final = Statement(f"""
SELECT product_id, sum(on_hand - reserved)::bigint AS available FROM stock_levels
WHERE product_id = ANY (:products) AND {SCOPED} GROUP BY product_id
""")  # noqa: S608 - constants
_TOUCH: Final = text("""
INSERT INTO catalog_generations (business_id) VALUES (:business)
ON CONFLICT (business_id) DO UPDATE SET generation = catalog_generations.generation + 1
""")


async def touch(session: AsyncSession, business_id: UUID) -> None:
    """Last of all in a transaction that changes products: all others of the business wait for it here."""
    await session.execute(_TOUCH, {"business": business_id})


@dataclass(frozen=True, slots=True)
class CachedPage:
    """Where one page of a catalogue is kept."""

    key: str

    @classmethod
    async def of(
        cls, ctx: CatalogContext, business_id: UUID, filters: ProductFilters, paging: PageParams
    ) -> CachedPage:
        found = await ctx.database.fetch_row(_GENERATION, {"business": business_id})
        cursor = paging.cursor.encode() if paging.cursor else None
        asked = orjson.dumps([astuple(filters), paging.page, paging.limit, cursor])
        generation = found["generation"] if found else 0
        return cls(f"catalog:page:{business_id}:{generation}:{sha256(asked).hexdigest()[:32]}")

    async def read(self, ctx: CatalogContext) -> Page[ProductOut] | None:
        """The page with the stock of now; None when it is not there, or Redis is not."""
        kept = await ctx.cache.get(self.key)
        if kept is None:
            return None
        stocks = await _stocks(ctx.database, [UUID(row["id"]) for row in kept["data"]])
        data = [{**row, "stock": stocks.get(UUID(row["id"]), 0)} for row in kept["data"]]
        return Page[ProductOut].model_validate({"data": data, "meta": kept["meta"]})

    async def keep(self, ctx: CatalogContext, page: Page[ProductOut]) -> None:
        await ctx.cache.set(self.key, page.model_dump(mode="json", by_alias=True), ttl=_SECONDS)


async def _stocks(database: Database, products: list[UUID]) -> dict[UUID, Any]:
    if not products:
        return {}
    return {row["product_id"]: row["available"] for row in await database.fetch(_STOCKS, {"products": products})}
