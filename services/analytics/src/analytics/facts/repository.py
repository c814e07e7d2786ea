"""How an event becomes part of a row: whatever the order of arrival, the row ends up the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from sqlalchemy import case, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.base import Base
from analytics.facts.models import InvoiceFact, PaymentFact, SaleFact

# By kind of fact that several events tell of: what is filled once, by the event that knows. The rest are snapshots.
_MILESTONES: Final[Mapping[type[Base], frozenset[str]]] = {
    SaleFact: frozenset({"completed_at", "completed_day", "canceled_at", "canceled_day"}),
    PaymentFact: frozenset({"confirmed_at", "confirmed_day", "failed_at", "failed_day"}),
    InvoiceFact: frozenset({"issued_at", "issued_day"}),
}


async def put(session: AsyncSession, fact: type[Base], values: Mapping[str, Any]) -> None:
    """Merge an event into the row of its aggregate, or keep a fact that never changes, in one statement."""
    statement = insert(fact).values(dict(values))
    milestones = _MILESTONES.get(fact)
    if milestones is None:
        await session.execute(statement.on_conflict_do_nothing())
        return
    new = statement.excluded
    merged: dict[str, Any] = {}
    for column in fact.__table__.c:
        if column.name in milestones:
            # GREATEST passes over NULL on either side.
            merged[column.name] = func.greatest(column, new[column.name])
        elif not column.primary_key:
            # A column that this event does not name is NULL in its snapshot.
            merged[column.name] = case((new["version"] > fact.__table__.c["version"], new[column.name]), else_=column)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=merged))


async def has_sales_at(database: Database, business_id: UUID, branch_id: UUID) -> bool:
    """Whether this branch of the business has ever completed a sale."""
    found = exists().where(
        SaleFact.business_id == business_id, SaleFact.branch_id == branch_id, SaleFact.completed_day.is_not(None)
    )
    async with database.read() as session:
        return bool((await session.execute(select(found))).scalar_one())
