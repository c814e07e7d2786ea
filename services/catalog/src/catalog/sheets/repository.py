"""Set-based statements over products by the thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.http.pagination import Cursor
from kernel import new_id
from sqlalchemy import Row, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.products.models import Product
from catalog.stock.models import StockLevel

# Columns that a file can set, with their types.
_SET: Final = {
    "name": "text",
    "sku": "text",
    "barcode": "text",
    "description": "text",
    "category": "text",
    "price": "numeric",
    "cost": "numeric",
    "tax_rate": "numeric",
    "min_stock": "integer",
    "image_url": "text",
    "is_active": "boolean",
}
_COLUMNS: Final = ", ".join(_SET)
_ARRAYS: Final = "CAST(:id AS uuid[]), " + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _SET.items())

_LOCK: Final = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('import:' || CAST(:business AS text), 0)) AS locked,"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
# Arrays as constants (_LOCK sees to that) are looked up by hash, so that it bears the wrong index as well: of a table
# that is just being filled the planner knows nothing.
_MATCHING: Final = text(
    "\nUNION\n".join(
        f"SELECT id FROM products WHERE business_id = :business AND {column} = ANY (CAST(:{column}s AS {kind}[]))"  # noqa: S608
        " AND deleted_at IS NULL"
        for column, kind in (("id", "uuid"), ("sku", "text"), ("barcode", "text"))
    )
)
_INSERT: Final = text(f"""
INSERT INTO products (id, business_id, currency, version, created_at, updated_at, {_COLUMNS})
SELECT id, CAST(:business AS uuid), :currency, 1, CAST(:now AS timestamptz), CAST(:now AS timestamptz), {_COLUMNS}
FROM unnest({_ARRAYS}) AS line (id, {_COLUMNS})
""")  # noqa: S608 - constants
_UPDATE: Final = text(f"""
UPDATE products AS product
SET {", ".join(f"{name} = line.{name}" for name in _SET)}, version = product.version + 1, updated_at = :now
FROM unnest({_ARRAYS}) AS line (id, {_COLUMNS})
WHERE product.id = line.id
""")  # noqa: S608 - constants

# A count: the level becomes what was found. In product order, as sales lock them.
_OPEN_LEVELS: Final = text("""
INSERT INTO stock_levels (id, business_id, product_id, branch_id)
SELECT line.id, CAST(:business AS uuid), line.product_id, CAST(:branch AS uuid)
FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[])) AS line (id, product_id) ORDER BY line.product_id
ON CONFLICT (product_id, branch_id) DO NOTHING
""")
# Looked up by array before anything is joined, as above; what is left to join is as long as the batch.
_HASHED: Final = text("SELECT set_config('enable_nestloop', 'off', true)")
_COUNT: Final = text("""
WITH locked AS MATERIALIZED (
    SELECT id, product_id, on_hand, reserved, allow_negative FROM stock_levels
    WHERE business_id = :business AND branch_id = :branch AND product_id = ANY (CAST(:products AS uuid[]))
    ORDER BY product_id FOR NO KEY UPDATE
), product AS MATERIALIZED (
    SELECT id, name, min_stock FROM products
    WHERE business_id = :business AND id = ANY (CAST(:products AS uuid[]))
), counted AS MATERIALIZED (
    SELECT level.id, line.id AS movement_id, line.product_id, line.quantity, line.type, level.reserved,
           line.quantity - level.on_hand AS change, level.allow_negative OR line.quantity >= level.reserved AS allowed,
           product.name AS product_name, product.min_stock
    FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:quantities AS bigint[]), CAST(:types AS text[]))
        AS line (id, product_id, quantity, type)
    JOIN locked AS level ON level.product_id = line.product_id
    JOIN product ON product.id = line.product_id
), changed AS (
    UPDATE stock_levels AS level SET on_hand = counted.quantity, version = level.version + 1
    FROM counted WHERE level.id = counted.id AND counted.change <> 0 AND counted.allowed
        AND level.branch_id = :branch AND level.product_id = ANY (CAST(:products AS uuid[]))
    RETURNING level.id, level.business_id, level.branch_id, level.version, counted.movement_id, counted.product_id,
              counted.change, counted.type, level.on_hand
), history AS (
    INSERT INTO stock_movements
        (id, business_id, product_id, branch_id, type, change, on_hand, reason, created_by, created_at)
    SELECT movement_id, business_id, product_id, branch_id, type, change, on_hand, :reason, CAST(:user AS uuid),
           CAST(:now AS timestamptz) FROM changed
)
SELECT counted.id, counted.product_id, counted.reserved, counted.change, counted.type, counted.allowed,
       counted.quantity AS on_hand, counted.product_name, counted.min_stock, changed.version,
       CAST(:business AS uuid) AS business_id, CAST(:branch AS uuid) AS branch_id
FROM counted LEFT JOIN changed USING (id) WHERE counted.change <> 0 ORDER BY counted.product_id
""")


async def lock(session: AsyncSession, business_id: UUID) -> bool:
    """One import of a business at a time. False: another is at it."""
    return bool((await session.execute(_LOCK, {"business": str(business_id)})).scalar_one())


async def matching(
    session: AsyncSession, business_id: UUID, ids: Sequence[UUID], skus: Sequence[str], barcodes: Sequence[str]
) -> Sequence[Product]:
    """The living products with one of these, held against other changes until the transaction ends."""
    parameters = {"business": business_id, "ids": ids, "skus": skus, "barcodes": barcodes}
    found = (await session.execute(_MATCHING, parameters)).scalars().all()
    if not found:
        return []
    statement = select(Product).where(Product.id.in_(found)).order_by(Product.id).with_for_update(key_share=True)
    return (await session.execute(statement)).scalars().all()


async def insert(
    session: AsyncSession, business_id: UUID, currency: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """rows: id and every column that a file can set."""
    await session.execute(_INSERT, {**_arrays(rows), "business": business_id, "currency": currency, "now": now})


async def update(session: AsyncSession, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """rows: as for `insert`, of products that are locked."""
    await session.execute(_UPDATE, {**_arrays(rows), "now": now})


async def count(
    session: AsyncSession,
    business_id: UUID,
    branch_id: UUID,
    found: Sequence[tuple[UUID, int, str]],
    *,
    reason: str,
    user_id: UUID,
    now: datetime,
) -> Sequence[Row[Any]]:
    """found: product, quantity and type of movement, in product order. One row per level that differed; not `allowed`,
    and left as it was, where more than that is reserved. Last in its transaction, whose plans it changes."""
    parameters = {
        "ids": [new_id() for _ in found],
        "products": [product for product, _, _ in found],
        "quantities": [quantity for _, quantity, _ in found],
        "types": [kind for _, _, kind in found],
        "business": business_id,
        "branch": branch_id,
        "reason": reason,
        "user": user_id,
        "now": now,
    }
    await session.execute(_OPEN_LEVELS, parameters)
    await session.execute(_HASHED)
    return (await session.execute(_COUNT, parameters)).all()


async def after(
    session: AsyncSession,
    business_id: UUID,
    branch_id: UUID | None,
    category: str | None,
    last: Cursor | None,
    limit: int,
) -> Sequence[Row[Product, int]]:
    """Living products behind `last` in the order of lists, with what lies in the branch, or in all of them."""
    on_hand = select(func.coalesce(func.sum(StockLevel.on_hand), 0)).where(StockLevel.product_id == Product.id)
    if branch_id is not None:
        on_hand = on_hand.where(StockLevel.branch_id == branch_id)
    stock = on_hand.scalar_subquery().label("stock")
    statement = select(Product, stock).where(Product.business_id == business_id, Product.deleted_at.is_(None))
    if category is not None:
        statement = statement.where(Product.category == category)
    if last is not None:
        statement = statement.where(tuple_(Product.created_at, Product.id) < tuple_(last.created_at, last.id))
    statement = statement.order_by(Product.created_at.desc(), Product.id.desc()).limit(limit)
    return (await session.execute(statement)).all()


def _arrays(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in ("id", *_SET)}
