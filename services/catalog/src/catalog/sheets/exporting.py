"""The catalogue becomes a file, page by page, that a spreadsheet opens and `importing` reads again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from chassis.auth import Permission, Principal
from chassis.http.pagination import Cursor
from sqlalchemy import Row

from catalog.context import CatalogContext
from catalog.products.models import Product
from catalog.sheets import repository
from catalog.sheets.cells import neutral
from catalog.sheets.columns import COLUMNS, Language

_PAGE: Final = 1_000
# Without it a spreadsheet takes UTF-8 for the code page of its machine.
_MARK: Final = "\ufeff"


async def export_products(
    ctx: CatalogContext,
    caller: Principal,
    business_id: UUID,
    branch_id: UUID | None,
    category: str | None,
    language: Language,
) -> AsyncIterator[bytes]:
    """Access and the first page are settled before the answer begins. Each page is a transaction of its own: who reads
    slowly holds nothing. Raises NotFound (business, branch_not_found), Forbidden."""
    await ctx.access.require(caller, business_id, Permission.READ)
    if branch_id is not None:
        await ctx.directory.branch(business_id, branch_id)
    first = await _page(ctx, business_id, branch_id, category, None)

    async def pages() -> AsyncIterator[bytes]:
        header = _encoded([[column.header(language) for column in COLUMNS]])
        yield _MARK.encode() + header
        page = first
        while page:
            yield _encoded([_cells(product, int(stock)) for product, stock in page])
            if len(page) < _PAGE:
                break
            last = page[-1][0]
            page = await _page(ctx, business_id, branch_id, category, Cursor(last.created_at, last.id))

    return pages()


async def _page(
    ctx: CatalogContext, business_id: UUID, branch_id: UUID | None, category: str | None, last: Cursor | None
) -> Sequence[Row[Product, int]]:
    async with ctx.database.read() as session:
        return await repository.after(session, business_id, branch_id, category, last, _PAGE)


def _cells(product: Product, stock: int) -> list[Any]:
    """In the order of COLUMNS. Amounts with the currency's decimals, and a point whatever the language."""
    texts = (product.name, product.sku, product.barcode, product.description, product.category)
    return [
        product.id,
        *(neutral(value or "") for value in texts),
        f"{product.money(product.price).decimal:f}",
        "" if product.cost is None else f"{product.money(product.cost).decimal:f}",
        f"{product.tax_rate.normalize():f}",
        stock,
        product.min_stock,
        neutral(product.image_url or ""),
        "true" if product.is_active else "false",
    ]


def _encoded(rows: Sequence[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
