"""One row per notification, for ever: where a scheme has no timestamp, this is the only guard against replay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from webhooks.base import Base


class WebhookEvent(Base):
    """payload: the body as received, encrypted, for it carries the buyer's data. signature: the headers and query
    parameters that proved it, as JSON. published_event_id: the outbox event of its latest publication. account_id: the
    business's own account at the provider, whose secret proved it; None for the platform's."""

    __tablename__ = "webhook_events"
    SEALED: ClassVar[frozenset[str]] = frozenset({"payload"})

    id: Mapped[Id]
    provider: Mapped[str]
    provider_event_id: Mapped[str]
    event_type: Mapped[str]
    provider_ref: Mapped[str | None]
    our_reference: Mapped[str | None]
    payload: Mapped[str]
    signature: Mapped[str]
    occurred_at: Mapped[datetime]
    published_event_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    version: Mapped[Version]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("provider", "provider_event_id"),
        Index("ix_webhook_events_our_reference", "our_reference"),
    )


Index("ix_webhook_events_created_at_id", WebhookEvent.created_at.desc(), WebhookEvent.id.desc())


def place(event_id: UUID) -> str:
    """Where the payload is, as associated data of its encryption."""
    return f"webhook_events.payload:{event_id}"
