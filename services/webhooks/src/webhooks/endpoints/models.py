"""A merchant's endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from webhooks.base import Base


class WebhookEndpoint(Base):
    """secret: the one that signs; previous_secret signs beside it until previous_secret_until.

    disabled_reason: "gone" or "failing" where we switched it off, NULL where the merchant did. failing_since: the first
    failure since the last success. is_troubled: its last try failed or took long, so that its deliveries have to share
    the lane of their like.
    """

    __tablename__ = "webhook_endpoints"
    SEALED: ClassVar[frozenset[str]] = frozenset({"secret", "previous_secret"})

    id: Mapped[Id]
    business_id: Mapped[UUID]
    url: Mapped[str]
    description: Mapped[str | None]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_secret_until: Mapped[datetime | None]
    is_active: Mapped[bool]
    disabled_reason: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    is_troubled: Mapped[bool]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    deleted_at: Mapped[datetime | None]


Index(
    "ix_webhook_endpoints_business_id",
    WebhookEndpoint.business_id,
    WebhookEndpoint.created_at.desc(),
    WebhookEndpoint.id.desc(),
    postgresql_where=WebhookEndpoint.deleted_at.is_(None),
)


def secret_place(endpoint_id: UUID) -> str:
    return f"webhook_endpoints.secret:{endpoint_id}"


def previous_secret_place(endpoint_id: UUID) -> str:
    return f"webhook_endpoints.previous_secret:{endpoint_id}"
