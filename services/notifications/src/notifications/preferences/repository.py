"""Queries of preferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.preferences.models import PersonalPreference, Preference


async def find(session: AsyncSession, business_id: UUID) -> Preference | None:
    return await session.get(Preference, business_id)


async def replace(session: AsyncSession, business_id: UUID, values: Mapping[str, Any]) -> None:
    await session.execute(
        insert(Preference)
        .values(business_id=business_id, **values)
        .on_conflict_do_update(
            index_elements=[Preference.business_id], set_={**values, "version": Preference.version + 1}
        )
    )


async def find_personal(session: AsyncSession, user_id: UUID) -> PersonalPreference | None:
    return await session.get(PersonalPreference, user_id)


async def replace_personal(session: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> None:
    await session.execute(
        insert(PersonalPreference)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[PersonalPreference.user_id], set_={**values, "version": PersonalPreference.version + 1}
        )
    )


async def forget_personal(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(PersonalPreference).where(PersonalPreference.user_id == user_id))
