"""Set-based statements over reservations: each move is one round trip, whatever the number of lines.

Locks are taken in one order everywhere: the reservation first, then the stock levels by product and branch. Two sales
with the same products in opposite order therefore never wait for each other. Only Reserve inserts its reservation after
the levels, so it locks none when there is one already: ON CONFLICT waits for whoever is changing that one. Two first
Reserves of one sale and its Release at the same instant can still close a circle; who loses there is run again.

Most run as transactions of their own, and bring their scope along (SCOPED) into each part that touches a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import SCOPED, scope_parameters
from kernel import new_id
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from catalog.reservations.order import GoodsBack, Order

# What a product costs now, and whether it is for sale.
_PRESENT: Final = f"""
    SELECT wanted.id, wanted.product_id, wanted.quantity, product.name, product.sku, product.price AS unit_price,
           product.currency, product.tax_rate
    FROM wanted JOIN products AS product ON product.id = wanted.product_id
    WHERE product.business_id = :business AND product.is_active AND product.deleted_at IS NULL AND {SCOPED}
"""  # noqa: S608 - constants
# What it cost at a moment: before its first price that one. Goods that have left already need not be for sale.
_AT_THE_MOMENT: Final = f"""
    SELECT wanted.id, wanted.product_id, wanted.quantity, price.name, price.sku, price.price AS unit_price,
           price.currency, price.tax_rate
    FROM wanted JOIN products AS product ON product.id = wanted.product_id
    CROSS JOIN LATERAL (
        SELECT past.* FROM product_prices AS past WHERE past.product_id = product.id AND {SCOPED}
        ORDER BY past.effective_at <= :priced_at DESC,
                 abs(extract(epoch FROM past.effective_at - CAST(:priced_at AS timestamptz))), past.id DESC
        LIMIT 1
    ) AS price
    WHERE product.business_id = :business
      AND (CAST(:already_sold AS boolean) OR (product.is_active AND product.deleted_at IS NULL)) AND {SCOPED}
"""  # noqa: S608 - constants


def _reserving(priced: str) -> TextClause:
    """All lines or none: the reservation is inserted only when every product is for sale and every level covers its
    line, and everything else hangs on that insert. The answer says of each line what was found, for the case that it
    was not. priced: a SELECT of the lines with their prices."""
    return text(f"""
WITH known AS MATERIALIZED (
    SELECT sale_id FROM reservations WHERE sale_id = :sale AND {SCOPED}
), wanted AS (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:quantities AS bigint[]))
        AS line (id, product_id, quantity)
), priced AS ({priced}), locked AS MATERIALIZED (
    SELECT level.id, level.product_id, level.on_hand - level.reserved AS available, wanted.quantity,
           level.allow_negative
    FROM stock_levels AS level JOIN wanted ON wanted.product_id = level.product_id
    WHERE level.branch_id = :branch AND level.business_id = :business AND {SCOPED} AND NOT EXISTS (SELECT FROM known)
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), claimed AS (
    INSERT INTO reservations (sale_id, business_id, branch_id, status, expires_at, created_at, updated_at)
    SELECT CAST(:sale AS uuid), CAST(:business AS uuid), CAST(:branch AS uuid), 'RESERVED',
           CAST(:expires AS timestamptz), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    WHERE (SELECT count(*) FROM priced) = :lines
      AND (SELECT count(*) FROM locked WHERE available >= quantity OR allow_negative) = :lines
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
       coalesce(locked.available, 0) AS available, locked.id IS NOT NULL AS stocked,
       coalesce(locked.allow_negative, false) AS allow_negative, EXISTS (SELECT FROM claimed) AS claimed
FROM wanted LEFT JOIN priced USING (product_id) LEFT JOIN locked USING (product_id)
ORDER BY wanted.product_id
""")  # noqa: S608 - constants


_RESERVE: Final = _reserving(_PRESENT)
_RESERVE_AT: Final = _reserving(_AT_THE_MOMENT)

# Run in one transaction with the Reserve that follows, so that what is entered and what is held are one.
_OPEN_LEVELS: Final = text("""
INSERT INTO stock_levels (id, business_id, product_id, branch_id)
SELECT line.id, CAST(:business AS uuid), line.product_id, CAST(:branch AS uuid)
FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[])) AS line (id, product_id)
JOIN products AS product ON product.id = line.product_id AND product.business_id = :business
ORDER BY line.product_id
ON CONFLICT (product_id, branch_id) DO NOTHING
""")
_COVER: Final = text("""
WITH short AS MATERIALIZED (
    SELECT level.id, line.id AS movement_id, line.quantity - (level.on_hand - level.reserved) AS missing,
           product.name AS product_name, product.min_stock
    FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:quantities AS bigint[]))
        AS line (id, product_id, quantity)
    JOIN stock_levels AS level ON level.product_id = line.product_id AND level.branch_id = :branch
    JOIN products AS product ON product.id = line.product_id
    WHERE level.business_id = :business
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), covered AS (
    UPDATE stock_levels AS level SET on_hand = level.on_hand + short.missing, version = level.version + 1
    FROM short WHERE level.id = short.id AND short.missing > 0 AND NOT level.allow_negative
    RETURNING level.id, level.business_id, level.product_id, level.branch_id, level.on_hand, level.reserved,
              level.version, short.movement_id, short.missing AS change, short.product_name, short.min_stock
), history AS (
    INSERT INTO stock_movements (id, business_id, product_id, branch_id, type, change, on_hand, reason, created_at)
    SELECT movement_id, business_id, product_id, branch_id, 'ADJUSTMENT', change, on_hand, :reason,
           CAST(:now AS timestamptz) FROM covered
)
SELECT * FROM covered ORDER BY product_id
""")
_LOCK: Final = text("SELECT FROM reservations WHERE sale_id = :sale FOR NO KEY UPDATE")

_RETURNABLE: Final = text("""
SELECT line.product_id, line.quantity - line.returned AS quantity FROM reservation_lines AS line
WHERE line.sale_id = :sale AND line.product_id = ANY (CAST(:products AS uuid[]))
""")
_RETURNED: Final = text("""
SELECT sale_id, product_id, change FROM stock_movements WHERE business_id = :business AND return_id = :return
""")
_RETURN: Final = text("""
WITH came AS (
    UPDATE reservation_lines AS line SET returned = line.returned + back.quantity
    FROM unnest(CAST(:ids AS uuid[]), CAST(:products AS uuid[]), CAST(:quantities AS bigint[]))
        AS back (id, product_id, quantity)
    WHERE line.sale_id = :sale AND line.product_id = back.product_id
    RETURNING back.id AS movement_id, line.sale_id, line.product_id, back.quantity
), locked AS MATERIALIZED (
    SELECT level.id, came.movement_id, came.quantity, product.name AS product_name, product.min_stock
    FROM came JOIN reservations AS reservation ON reservation.sale_id = came.sale_id
    JOIN stock_levels AS level ON level.product_id = came.product_id AND level.branch_id = reservation.branch_id
    JOIN products AS product ON product.id = came.product_id
    ORDER BY level.product_id
    FOR NO KEY UPDATE OF level
), stocked AS (
    UPDATE stock_levels AS level SET on_hand = level.on_hand + locked.quantity, version = level.version + 1
    FROM locked WHERE level.id = locked.id
    RETURNING level.id, level.business_id, level.product_id, level.branch_id, level.on_hand, level.reserved,
              level.version, locked.movement_id, locked.quantity AS change, locked.product_name, locked.min_stock
), history AS (
    INSERT INTO stock_movements
        (id, business_id, product_id, branch_id, type, change, on_hand, sale_id, return_id, created_at)
    SELECT movement_id, business_id, product_id, branch_id, 'RETURN', change, on_hand, CAST(:sale AS uuid),
           CAST(:return AS uuid), CAST(:now AS timestamptz) FROM stocked
)
SELECT * FROM stocked ORDER BY product_id
""")

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
    SELECT level.id, level.product_id, level.on_hand - level.reserved AS available, line.quantity,
           level.allow_negative
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
      AND NOT EXISTS (SELECT FROM locked WHERE available < quantity AND NOT allow_negative) AND {SCOPED}
    RETURNING reservation.sale_id
), held AS (
    UPDATE stock_levels AS level SET reserved = level.reserved + locked.quantity
    FROM locked, revived WHERE level.id = locked.id AND {SCOPED}
)
SELECT product_id, quantity, available, allow_negative, EXISTS (SELECT FROM revived) AS revived
FROM locked ORDER BY product_id
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


async def reserve(connection: AsyncConnection | AsyncSession, order: Order, now: datetime) -> Sequence[Row[Any]]:
    """One row per line, by product: its price, what is available, and whether the whole was claimed. `name` is NULL
    for a product that is not for sale, `stocked` false where it never lay in the branch."""
    parameters = scope_parameters() | {
        **_arrays(order.lines),
        "lines": len(order.lines),
        "business": order.business_id,
        "branch": order.branch_id,
        "sale": order.sale_id,
        "expires": order.expires_at,
        "now": now,
    }
    if order.priced_at is None and not order.already_sold:
        return (await connection.execute(_RESERVE, parameters)).all()
    parameters |= {"priced_at": order.priced_at or now, "already_sold": order.already_sold}
    return (await connection.execute(_RESERVE_AT, parameters)).all()


async def open_levels(session: AsyncSession, order: Order) -> None:
    """An empty level for each of the business's products that never lay in the branch."""
    parameters = {**_arrays(order.lines), "business": order.business_id, "branch": order.branch_id}
    await session.execute(_OPEN_LEVELS, parameters)


async def cover(session: AsyncSession, order: Order, reason: str, now: datetime) -> Sequence[Row[Any]]:
    """Enter what is missing for the order as adjustments; one row per level raised. Where stock may go below zero
    nothing is missing."""
    parameters = {
        **_arrays(order.lines),
        "business": order.business_id,
        "branch": order.branch_id,
        "reason": reason,
        "now": now,
    }
    return (await session.execute(_COVER, parameters)).all()


async def lock(session: AsyncSession, sale_id: UUID) -> None:
    """Hold the reservation, if there is one, against other changes until the transaction ends."""
    await session.execute(_LOCK, {"sale": sale_id})


async def returned(session: AsyncSession, business_id: UUID, return_id: UUID) -> Sequence[Row[Any]]:
    """The movements of a return; none when it is new."""
    return (await session.execute(_RETURNED, {"business": business_id, "return": return_id})).all()


async def returnable(session: AsyncSession, back: GoodsBack) -> dict[UUID, int]:
    """What the sale took of these products and has not come back yet."""
    found = await session.execute(_RETURNABLE, {"sale": back.sale_id, "products": list(back.lines)})
    return {row.product_id: row.quantity for row in found}


async def take_back(session: AsyncSession, back: GoodsBack, now: datetime) -> Sequence[Row[Any]]:
    """One row per line, with its level afterwards. The reservation must be locked and the lines be returnable."""
    parameters = {**_arrays(back.lines), "sale": back.sale_id, "return": back.return_id, "now": now}
    return (await session.execute(_RETURN, parameters)).all()


async def find(connection: AsyncConnection | AsyncSession, sale_id: UUID) -> Sequence[Row[Any]]:
    """The reservation joined to its lines, by product; one row without a product for a tombstone; none when unknown."""
    return (await connection.execute(_FIND, scope_parameters() | {"sale": sale_id})).all()


async def extend(connection: AsyncConnection | AsyncSession, order: Order, now: datetime) -> bool:
    """Hold on for longer, never for less. False when there is nothing held that this order may extend."""
    parameters = {"sale": order.sale_id, "expires": order.expires_at, "revive": order.revive, "now": now}
    return (await connection.execute(_EXTEND, scope_parameters() | parameters)).first() is not None


async def revive(connection: AsyncConnection | AsyncSession, order: Order, now: datetime) -> Sequence[Row[Any]]:
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


def _arrays(lines: Mapping[UUID, int]) -> dict[str, Any]:
    return {"ids": [new_id() for _ in lines], "products": list(lines), "quantities": list(lines.values())}
