"""Queries of tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from billing.tickets.models import FiscalTicket

_KEY = [FiscalTicket.business_id, FiscalTicket.name]


async def find(session: AsyncSession, business_id: UUID, name: str) -> FiscalTicket | None:
    return await session.get(FiscalTicket, (business_id, name))


async def claim(session: AsyncSession, business_id: UUID, name: str, now: datetime, until: datetime) -> bool:
    """False while somebody else's claim lasts."""
    statement = (
        insert(FiscalTicket)
        .values(business_id=business_id, name=name, claimed_until=until)
        .on_conflict_do_update(
            index_elements=_KEY,
            set_={"claimed_until": until},
            where=or_(FiscalTicket.claimed_until.is_(None), FiscalTicket.claimed_until <= now),
        )
        .returning(FiscalTicket.name)
    )
    return (await session.execute(statement)).first() is not None


async def put(session: AsyncSession, business_id: UUID, name: str, values: dict[str, Any]) -> None:
    """Ends the claim."""
    values = {**values, "claimed_until": None}
    statement = insert(FiscalTicket).values(business_id=business_id, name=name, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=values))
