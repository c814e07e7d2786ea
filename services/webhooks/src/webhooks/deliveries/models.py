"""What is to be sent where, and every try. Rows are kept for 30 days (deliveries.retention)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webhooks.base import Base


class WebhookDelivery(Base):
    """One event for one endpoint. payload: the body that every try sends. sequence: grows with each change of the
    event's subject.

    tries: of all times; step: how many of the schedule, which a manual retry begins anew. worker: who has it in hand
    until next_attempt_at; one whose time has passed has died, and it is tried again. last_*: of the latest try.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[Id]
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id"))
    business_id: Mapped[UUID]
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    subject_id: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[str]
    status: Mapped[str]
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    step: Mapped[int] = mapped_column(Integer, server_default="0")
    worker: Mapped[UUID | None]
    next_attempt_at: Mapped[datetime | None]
    last_outcome: Mapped[str | None]
    last_status_code: Mapped[int | None]
    last_attempt_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    occurred_at: Mapped[datetime]
    created_at: Mapped[CreatedAt]

    __table_args__ = (UniqueConstraint("event_id", "endpoint_id"),)


class WebhookAttempt(Base):
    """One try. url: where it went. answer: the beginning of the body that came back, encrypted, for it may hold
    anything."""

    __tablename__ = "webhook_attempts"
    SEALED: ClassVar[frozenset[str]] = frozenset({"answer"})

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    business_id: Mapped[UUID]
    url: Mapped[str]
    outcome: Mapped[str]
    status_code: Mapped[int | None]
    answer: Mapped[str | None]
    duration_ms: Mapped[int]
    attempted_at: Mapped[datetime]


Index(
    "ix_webhook_deliveries_endpoint_id",
    WebhookDelivery.endpoint_id,
    WebhookDelivery.created_at.desc(),
    WebhookDelivery.id.desc(),
)
Index("ix_webhook_deliveries_created_at", WebhookDelivery.created_at)
# The two that claiming lives on: what is due, by endpoint, and what is in hand.
Index(
    "ix_webhook_deliveries_pending",
    WebhookDelivery.endpoint_id,
    WebhookDelivery.next_attempt_at,
    WebhookDelivery.id,
    postgresql_where=text("status = 'PENDING'"),
)
Index(
    "ix_webhook_deliveries_in_hand",
    WebhookDelivery.next_attempt_at,
    postgresql_where=text("worker IS NOT NULL"),
)


def answer_place(delivery_id: UUID, number: int) -> str:
    return f"webhook_attempts.answer:{delivery_id}:{number}"
