"""Set-based statements over reservations: each move is one round trip, whatever the number of lines.

Locks are taken in one order everywhere: the reservation first, then the stock levels by product and branch. Two sales
with the same products in opposite order therefore never wait for each other. Only Reserve inserts its reservation after
the levels, so it locks none when there is one already: ON CONFLICT waits for whoever is changing that one.

Most run as transactions of their own, and bring their scope along (SCOPED) into each part that touches a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import SCOPED, scope_parameters
from kernel import new_id
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from catalog.reservations.order import Order

# All lines or none: the reservation is inserted only when every product is for sale and every level covers its line,
# and everything else hangs on that insert. The answer says of each line what was found, for the case that it was not.
_RESERVE: Final = text(f"""
WITH known AS MATERIALIZED (
    SELECT sale_id FROM reservations WHERE sale_id = :sale AND {SCOPED}
), wanted AS (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:quantities AS bigint[]))
        AS line (id, product_id, quantity)
), priced AS (
    SELECT wanted.id, wanted.product_id, wanted.quantity, product.name, product.sku, product.price AS unit_price,
           product.currency, product.tax_rate
    FROM wanted JOIN products AS product ON product.id = wanted.product_id
    WHERE product.business_id = :business AND product.is_active AND product.deleted_at IS NULL AND {SCOPED}
), locked AS MATERIALIZED (
    SELECT level.id, level.product_id, level.on_hand - level.reserved AS available, wanted.quantity
    FROM stock_levels AS level JOIN wanted ON wanted.product_id = level.product_id
    WHERE level.branch_id = :branch AND level.business_id = :business AND {SCOPED} AND NOT EXISTS (SELECT FROM known)
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), claimed AS (
    INSERT INTO reservations (sale_id, business_id, branch_id, status, expires_at, created_at, updated_at)
    SELECT CAST(:sale AS uuid), CAST(:business AS uuid), CAST(:branch AS uuid), 'RESERVED',
           CAST(:expires AS timestamptz), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    WHERE (SELECT count(*) FROM priced) = :lines
      AND (SELECT count(*) FROM locked WHERE available >= quantity) = :lines
    ON CONFLICT DO NOTHING
    RETURNING sale_id
), held AS (
    UPDATE stock_levels AS level SET reserved = level.reserved + locked.quantity
    FROM locked, claimed WHERE level.id = locked.id AND {SCOPED}
), kept AS (
    INSERT INTO reservation_lines
        (id, sale_id, business_id, product_id, quantity, name, sku, unit_price, currency, tax_rate)
    SELECT priced.id, claimed.sale_id, CAST(:business AS uuid), priced.product_id, priced.quantity, priced.name,
           priced.sku, priced.unit_price, priced.currency, priced.tax_rate
    FROM priced, claimed
)
SELECT wanted.product_id, wanted.quantity, priced.name, priced.sku, priced.unit_price, priced.currency, priced.tax_rate,
       coalesce(locked.available, 0) AS available, EXISTS (SELECT FROM claimed) AS claimed
FROM wanted LEFT JOIN priced USING (product_id) LEFT JOIN locked USING (product_id)
ORDER BY wanted.product_id
""")  # noqa: S608 - constants

_FIND: Final = text(f"""
SELECT reservation.business_id, reservation.branch_id, reservation.status, reservation.expires_at,
       line.product_id, line.quantity, line.name, line.sku, line.unit_price, line.currency, line.tax_rate
FROM reservations AS reservation LEFT JOIN reservation_lines AS line USING (sale_id)
WHERE reservation.sale_id = :sale AND {SCOPED}
ORDER BY line.product_id
""")  # noqa: S608 - constants

_EXTEND: Final = text(f"""
UPDATE reservations SET expires_at = greatest(expires_at, :expires), updated_at = :now
WHERE sale_id = :sale AND status = 'RESERVED' AND (expires_at > :now OR :revive) AND {SCOPED}
RETURNING sale_id
""")  # noqa: S608 - constants

_REVIVE: Final = text(f"""
WITH target AS MATERIALIZED (
    SELECT sale_id, branch_id FROM reservations
    WHERE sale_id = :sale AND status = 'RELEASED' AND {SCOPED} FOR NO KEY UPDATE
), locked AS MATERIALIZED (
    SELECT level.id, level.product_id, level.on_hand - level.reserved AS available, line.quantity
    FROM target JOIN reservation_lines AS line USING (sale_id)
    JOIN stock_levels AS level ON level.product_id = line.product_id AND level.branch_id = target.branch_id
    WHERE {SCOPED}
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), revived AS (
    UPDATE reservations AS reservation
    SET status = 'RESERVED', expires_at = :expires, reason = NULL, updated_at = :now
    FROM target
    WHERE reservation.sale_id = target.sale_id AND EXISTS (SELECT FROM locked)
      AND NOT EXISTS (SELECT FROM locked WHERE available < quantity) AND {SCOPED}
    RETURNING reservation.sale_id
), held AS (
    UPDATE stock_levels AS level SET reserved = level.reserved + locked.quantity
    FROM locked, revived WHERE level.id = locked.id AND {SCOPED}
)
SELECT product_id, quantity, available, EXISTS (SELECT FROM revived) AS revived FROM locked ORDER BY product_id
""")  # noqa: S608 - constants

_COMMIT: Final = text("""
WITH moved AS (
    UPDATE reservations SET status = 'COMMITTED', updated_at = :now
    WHERE sale_id = :sale AND business_id = :business AND status = 'RESERVED' AND expires_at > :now
    RETURNING sale_id, branch_id
), locked AS MATERIALIZED (
    SELECT level.id, line.id AS line_id, line.product_id, line.quantity, line.name, line.sku, line.unit_price,
           line.currency, line.tax_rate, product.name AS product_name, product.min_stock
    FROM moved JOIN reservation_lines AS line USING (sale_id)
    JOIN stock_levels AS level ON level.product_id = line.product_id AND level.branch_id = moved.branch_id
    JOIN products AS product ON product.id = line.product_id
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), sold AS (
    UPDATE stock_levels AS level
    SET on_hand = level.on_hand - locked.quantity, reserved = level.reserved - locked.quantity,
        version = level.version + 1
    FROM locked WHERE level.id = locked.id
    RETURNING locked.*, level.business_id, level.branch_id, level.on_hand, level.reserved, level.version
), history AS (
    INSERT INTO stock_movements (id, business_id, product_id, branch_id, type, change, on_hand, sale_id, created_at)
    SELECT line_id, business_id, product_id, branch_id, 'SALE', -quantity, on_hand,
           CAST(:sale AS uuid), CAST(:now AS timestamptz) FROM sold
)
SELECT * FROM sold ORDER BY product_id
""")

_RELEASE: Final = text(f"""
WITH moved AS (
    UPDATE reservations SET status = 'RELEASED', reason = :reason, updated_at = :now
    WHERE sale_id = :sale AND business_id = :business AND status = 'RESERVED' AND {SCOPED}
    RETURNING sale_id, branch_id
), locked AS MATERIALIZED (
    SELECT level.id, line.product_id, line.quantity, line.name, line.sku, line.unit_price, line.currency, line.tax_rate
    FROM moved JOIN reservation_lines AS line USING (sale_id)
    JOIN stock_levels AS level ON level.product_id = line.product_id AND level.branch_id = moved.branch_id
    WHERE {SCOPED}
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), returned AS (
    UPDATE stock_levels AS level SET reserved = level.reserved - locked.quantity
    FROM locked WHERE level.id = locked.id AND {SCOPED}
)
SELECT * FROM locked ORDER BY product_id
""")  # noqa: S608 - constants

_BURY: Final = text(f"""
INSERT INTO reservations (sale_id, business_id, status, reason, created_at, updated_at)
SELECT CAST(:sale AS uuid), CAST(:business AS uuid), 'RELEASED', :reason, CAST(:now AS timestamptz),
       CAST(:now AS timestamptz) WHERE {SCOPED}
ON CONFLICT DO NOTHING
RETURNING sale_id
""")

_RELEASE_EXPIRED: Final = text("""
WITH due AS MATERIALIZED (
    SELECT sale_id, branch_id FROM reservations
    WHERE status = 'RESERVED' AND expires_at <= :now
    ORDER BY expires_at LIMIT :batch
    FOR NO KEY UPDATE SKIP LOCKED
), locked AS MATERIALIZED (
    SELECT level.id, line.quantity
    FROM due JOIN reservation_lines AS line USING (sale_id)
    JOIN stock_levels AS level ON level.product_id = line.product_id AND level.branch_id = due.branch_id
    ORDER BY level.product_id, level.branch_id
    FOR NO KEY UPDATE OF level
), returned AS (
    UPDATE stock_levels AS level SET reserved = level.reserved - total.quantity
    FROM (SELECT id, sum(quantity) AS quantity FROM locked GROUP BY id) AS total WHERE level.id = total.id
)
UPDATE reservations AS reservation SET status = 'RELEASED', reason = 'expired', updated_at = :now
FROM due WHERE reservation.sale_id = due.sale_id
RETURNING reservation.sale_id
""")


async def reserve(connection: AsyncConnection, order: Order, now: datetime) -> Sequence[Row[Any]]:
    """One row per line, by product: its price, what is available, and whether the whole was claimed. `name` is NULL
    for a product that is not for sale."""
    parameters = scope_parameters() | {
        "ids": [new_id() for _ in order.lines],
        "products": list(order.lines),
        "quantities": list(order.lines.values()),
        "lines": len(order.lines),
        "business": order.business_id,
        "branch": order.branch_id,
        "sale": order.sale_id,
        "expires": order.expires_at,
        "now": now,
    }
    return (await connection.execute(_RESERVE, parameters)).all()


async def find(connection: AsyncConnection | AsyncSession, sale_id: UUID) -> Sequence[Row[Any]]:
    """The reservation joined to its lines, by product; one row without a product for a tombstone; none when unknown."""
    return (await connection.execute(_FIND, scope_parameters() | {"sale": sale_id})).all()


async def extend(connection: AsyncConnection, order: Order, now: datetime) -> bool:
    """Hold on for longer, never for less. False when there is nothing held that this order may extend."""
    parameters = {"sale": order.sale_id, "expires": order.expires_at, "revive": order.revive, "now": now}
    return (await connection.execute(_EXTEND, scope_parameters() | parameters)).first() is not None


async def revive(connection: AsyncConnection, order: Order, now: datetime) -> Sequence[Row[Any]]:
    """One row per line: what is available, and whether the whole is held again. None when it is no longer released."""
    parameters = {"sale": order.sale_id, "expires": order.expires_at, "now": now}
    return (await connection.execute(_REVIVE, scope_parameters() | parameters)).all()


async def commit(session: AsyncSession, business_id: UUID, sale_id: UUID, now: datetime) -> Sequence[Row[Any]]:
    """One row per line sold, with its level afterwards. None when there was no living reservation."""
    parameters = {"sale": sale_id, "business": business_id, "now": now}
    return (await session.execute(_COMMIT, parameters)).all()


async def release(
    connection: AsyncConnection, business_id: UUID, sale_id: UUID, reason: str, now: datetime
) -> Sequence[Row[Any]]:
    """One row per line put back. None when nothing was held."""
    parameters = {"sale": sale_id, "business": business_id, "reason": reason, "now": now}
    return (await connection.execute(_RELEASE, scope_parameters() | parameters)).all()


async def bury(connection: AsyncConnection, business_id: UUID, sale_id: UUID, reason: str, now: datetime) -> bool:
    """Leave a tombstone for a sale that never reserved. False when it has a reservation after all."""
    parameters = {"sale": sale_id, "business": business_id, "reason": reason, "now": now}
    return (await connection.execute(_BURY, scope_parameters() | parameters)).first() is not None


async def release_expired(session: AsyncSession, now: datetime, batch: int) -> int:
    """Put back at most `batch` reservations whose time is over, leaving out those that are being decided just now."""
    return len((await session.execute(_RELEASE_EXPIRED, {"now": now, "batch": batch})).all())
