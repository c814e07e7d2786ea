"""The tables of messages, and of what happened to each."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.database.base import CreatedAt, Id, Version
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from notifications.base import Base
from notifications.messages.status import NotificationStatus


class Notification(Base):
    """One message to one recipient by one channel. Recipient and content are encrypted, bound to this row.

    In a business's name, or from Cobro to one of its accounts. A one-time code's has neither recipient nor content nor
    language: auth is asked for them at every try.
    """

    __tablename__ = "notifications"
    SEALED: ClassVar[frozenset[str]] = frozenset({"recipient", "content"})

    id: Mapped[Id]
    business_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    cause_event_id: Mapped[UUID]
    cause: Mapped[str]
    lane: Mapped[str]
    channel: Mapped[str]
    template: Mapped[str]
    language: Mapped[str | None]
    recipient: Mapped[str | None]
    recipient_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    content: Mapped[str | None]
    code_id: Mapped[UUID | None]
    # After this moment it is not sent any more.
    expires_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(server_default=NotificationStatus.PENDING.value)
    # Tries that the provider answered with a failure of its own.
    attempts: Mapped[int] = mapped_column(server_default="0")
    # Tries that ended without an answer: the message may have left.
    unanswered: Mapped[int] = mapped_column(server_default="0")
    # When the message is due for (another) try. Taking it for one moves this on: the lease of whoever sends it.
    next_attempt_at: Mapped[datetime]
    worker: Mapped[UUID | None]
    provider: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    provider_answer: Mapped[str | None]
    # What providers have reported since they took it on, and when they last did.
    delivery_status: Mapped[str | None]
    delivery_reported_at: Mapped[datetime | None]
    # "22:00-08:00 America/Mexico_City": hours in which it waits.
    quiet_hours: Mapped[str | None]
    failure_reason: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    # When a person last had a dead letter sent again: its day of tries begins anew.
    redriven_at: Mapped[datetime | None]
    version: Mapped[Version]

    __table_args__ = (
        UniqueConstraint("cause_event_id", "template", "channel", "recipient_index", name="uq_notifications_message"),
        CheckConstraint("status IN ('PENDING', 'SENT', 'FAILED')", name="status"),
        CheckConstraint("(business_id IS NULL) <> (user_id IS NULL)", name="addressee"),
        CheckConstraint(
            "(code_id IS NULL AND num_nulls(recipient, recipient_index, content, language) = 0)"
            " OR (code_id IS NOT NULL AND expires_at IS NOT NULL"
            " AND num_nonnulls(recipient, recipient_index, content, language) = 0)",
            name="stored",
        ),
        Index("uq_notifications_code", "code_id", unique=True, postgresql_where=text("code_id IS NOT NULL")),
        Index("ix_notifications_list", "business_id", text("created_at DESC"), text("id DESC")),
        CheckConstraint(
            "delivery_status IN ('ACCEPTED', 'DELAYED', 'DELIVERED', 'UNDELIVERED')", name="delivery_status"
        ),
        Index("ix_notifications_due", "lane", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
    )

    @property
    def recipient_place(self) -> str:
        return recipient_place(self.id)

    @property
    def content_place(self) -> str:
        return content_place(self.id)


class NotificationStep(Base):
    """One thing that happened to a message: a try and its answer, a provider's report, a redrive by a person.

    No recipient, no text: `answer` is a status and a provider's code. business_id is the message's.
    """

    __tablename__ = "notification_steps"

    id: Mapped[Id]
    notification_id: Mapped[UUID] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"))
    business_id: Mapped[UUID | None]
    kind: Mapped[str]
    provider: Mapped[str | None]
    # What the provider calls its report, so that one sent again is recorded once.
    provider_event_id: Mapped[str | None]
    outcome: Mapped[str]
    answer: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('TRY', 'REPORT', 'REDRIVE')", name="kind"),
        Index("ix_notification_steps_list", "notification_id", "at", "id"),
        Index(
            "uq_notification_steps_report",
            "provider",
            "provider_event_id",
            unique=True,
            postgresql_where=text("provider_event_id IS NOT NULL"),
        ),
    )


def recipient_place(notification_id: UUID) -> str:
    """Binds an encrypted recipient to its row."""
    return f"notifications.recipient:{notification_id}"


def content_place(notification_id: UUID) -> str:
    return f"notifications.content:{notification_id}"
