"""Queries of preferences."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.localization import Language
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.preferences.models import Preference


async def find(session: AsyncSession, business_id: UUID) -> Preference | None:
    return await session.get(Preference, business_id)


async def replace(
    session: AsyncSession, business_id: UUID, *, language: Language, sms: bool, email: bool, now: datetime
) -> None:
    values = {"language": language.value, "sms": sms, "email": email, "updated_at": now}
    await session.execute(
        insert(Preference)
        .values(business_id=business_id, **values)
        .on_conflict_do_update(
            index_elements=[Preference.business_id], set_={**values, "version": Preference.version + 1}
        )
    )
