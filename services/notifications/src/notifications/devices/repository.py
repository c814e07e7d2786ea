"""Queries of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifications.devices.models import PushDevice

# A person has a handful; more are tokens that an app forgot to take back.
MOST = 20


async def put(session: AsyncSession, values: Mapping[str, Any]) -> PushDevice:
    """Insert, or note that the token was seen again: then the row keeps its id and its own envelope."""
    statement = (
        insert(PushDevice)
        .values(**values)
        .on_conflict_do_update(
            index_elements=[PushDevice.user_id, PushDevice.token_index],
            set_={"platform": values["platform"], "seen_at": values["seen_at"]},
        )
        .returning(PushDevice)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one()


async def keep_newest(session: AsyncSession, user_id: UUID) -> None:
    """Beyond MOST, those not seen for longest go."""
    newest = select(PushDevice.id).where(PushDevice.user_id == user_id).order_by(PushDevice.seen_at.desc()).limit(MOST)
    await session.execute(
        delete(PushDevice).where(PushDevice.user_id == user_id, PushDevice.id.not_in(newest.scalar_subquery()))
    )


async def list_page(session: AsyncSession, user_id: UUID, params: PageParams) -> Slice:
    statement: Select[Any] = select(PushDevice).where(PushDevice.user_id == user_id)
    return await fetch_page(session, statement, params, created_at=PushDevice.created_at, id=PushDevice.id)


async def of_user(session: AsyncSession, user_id: UUID) -> Sequence[PushDevice]:
    found = await session.execute(select(PushDevice).where(PushDevice.user_id == user_id).limit(MOST))
    return found.scalars().all()


async def remove(session: AsyncSession, user_id: UUID, device_id: UUID) -> bool:
    statement = delete(PushDevice).where(PushDevice.user_id == user_id, PushDevice.id == device_id)
    return (await session.execute(statement.returning(PushDevice.id))).first() is not None


async def take_from_others(session: AsyncSession, user_id: UUID, token_index: bytes) -> None:
    """Whoever holds a device is logged in there now: what another user is told must not appear on it."""
    await session.execute(
        delete(PushDevice).where(PushDevice.token_index == token_index, PushDevice.user_id != user_id)
    )


async def drop_token(session: AsyncSession, token_index: bytes, *, seen_before: datetime) -> None:
    """A token that FCM knows no more, unless an app has registered it since."""
    await session.execute(
        delete(PushDevice).where(PushDevice.token_index == token_index, PushDevice.seen_at <= seen_before)
    )


async def forget(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(PushDevice).where(PushDevice.user_id == user_id))
