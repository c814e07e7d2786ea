"""Queries over endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Select, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webhooks.endpoints.models import WebhookEndpoint


async def find(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint | None:
    """The living endpoint."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.deleted_at.is_(None))
    return (await session.execute(statement)).scalar_one_or_none()


async def lock(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint | None:
    """`find`, holding the row against other changes until the transaction ends."""
    statement = (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.deleted_at.is_(None))
        .with_for_update(key_share=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def page(session: AsyncSession, businesses: Sequence[UUID] | None, paging: PageParams) -> Slice:
    """Living endpoints of these businesses (None: of all), newest first."""
    statement: Select[Any] = select(WebhookEndpoint).where(WebhookEndpoint.deleted_at.is_(None))
    if businesses is not None:
        statement = statement.where(WebhookEndpoint.business_id.in_(businesses))
    return await fetch_page(session, statement, paging, created_at=WebhookEndpoint.created_at, id=WebhookEndpoint.id)


async def count_for_adding(session: AsyncSession, business_id: UUID) -> int:
    """How many there are; nobody else can add one until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"endpoints|{business_id}", 0))))
    statement = select(func.count()).where(
        WebhookEndpoint.business_id == business_id, WebhookEndpoint.deleted_at.is_(None)
    )
    return int((await session.execute(statement)).scalar_one())


async def subscribed(session: AsyncSession, business_id: UUID, event_type: str) -> Sequence[WebhookEndpoint]:
    """Living endpoints that chose this type of event, also those that are switched off."""
    statement = select(WebhookEndpoint).where(
        WebhookEndpoint.business_id == business_id,
        WebhookEndpoint.deleted_at.is_(None),
        literal(event_type) == func.any(WebhookEndpoint.events),
    )
    return (await session.execute(statement)).scalars().all()


async def delete_all_of(session: AsyncSession, business_id: UUID, now: datetime) -> Sequence[UUID]:
    statement = (
        update(WebhookEndpoint)
        .where(WebhookEndpoint.business_id == business_id, WebhookEndpoint.deleted_at.is_(None))
        .values(deleted_at=now, updated_at=now, is_active=False, version=WebhookEndpoint.version + 1)
        .returning(WebhookEndpoint.id)
    )
    return (await session.execute(statement)).scalars().all()


async def lock_any(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Also one that was deleted meanwhile."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).with_for_update(key_share=True)
    return (await session.execute(statement)).scalar_one()
