"""Queries over a catalogue's settings."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_FIND: Final = text("SELECT allow_negative_stock FROM catalog_settings WHERE business_id = :business")
_STORE: Final = text("""
INSERT INTO catalog_settings (business_id, allow_negative_stock, updated_at)
VALUES (:business, :allowed, :now)
ON CONFLICT (business_id)
DO UPDATE SET allow_negative_stock = excluded.allow_negative_stock, updated_at = excluded.updated_at
""")
# In the order in which sales lock them. Of what is no longer sold nobody could correct the stock.
_LOCK_LEVELS: Final = text("""
SELECT count(*) FILTER (WHERE on_hand < reserved AND deleted_at IS NULL) FROM (
    SELECT level.on_hand, level.reserved, product.deleted_at
    FROM stock_levels AS level JOIN products AS product ON product.id = level.product_id
    WHERE level.business_id = :business AND level.allow_negative <> :allowed
    ORDER BY level.product_id, level.branch_id FOR NO KEY UPDATE OF level
) AS level
""")
_TELL_LEVELS: Final = text("""
UPDATE stock_levels SET allow_negative = :allowed
WHERE business_id = :business AND allow_negative <> :allowed AND (:allowed OR on_hand >= reserved)
""")


async def allows_negative(session: AsyncSession, business_id: UUID) -> bool:
    return bool((await session.execute(_FIND, {"business": business_id})).scalar())


async def store(session: AsyncSession, business_id: UUID, allowed: bool, now: datetime) -> None:
    """Waits for whoever is opening a level, and makes them wait."""
    await session.execute(_STORE, {"business": business_id, "allowed": allowed, "now": now})


async def lock_levels(session: AsyncSession, business_id: UUID, allowed: bool) -> int:
    """Hold the levels that say otherwise. Returns how many of them are below zero."""
    found = await session.execute(_LOCK_LEVELS, {"business": business_id, "allowed": allowed})
    return int(found.scalar_one())


async def tell_levels(session: AsyncSession, business_id: UUID, allowed: bool) -> None:
    await session.execute(_TELL_LEVELS, {"business": business_id, "allowed": allowed})
