"""Queries of fiscal profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from billing.profiles.models import FiscalProfile


async def find(session: AsyncSession, business_id: UUID) -> FiscalProfile | None:
    return await session.get(FiscalProfile, business_id)


async def lock(session: AsyncSession, business_id: UUID) -> FiscalProfile | None:
    """The profile as it is now; whoever else writes it, or its first version, waits."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('fiscal_profile'), hashtext(:id))"), {"id": str(business_id)}
    )
    return (
        await session.execute(select(FiscalProfile).where(FiscalProfile.business_id == business_id))
    ).scalar_one_or_none()


async def put(session: AsyncSession, values: Mapping[str, Any]) -> FiscalProfile:
    changed = {name: value for name, value in values.items() if name != "business_id"}
    statement = (
        insert(FiscalProfile)
        .values(**values)
        .on_conflict_do_update(
            index_elements=[FiscalProfile.business_id],
            set_={**changed, "updated_at": func.now(), "version": FiscalProfile.version + 1},
        )
        .returning(FiscalProfile)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one()
