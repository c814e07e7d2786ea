"""Messages in JSON."""

from __future__ import annotations

from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.http.schemas import ResponseModel, UtcDatetime
from chassis.localization import Language

from notifications.channels.port import Channel
from notifications.messages.masking import masked
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus
from notifications.messages.templates import Template


class NotificationOut(ResponseModel):
    """recipient is masked. possibly_duplicate: a try went unanswered, so it may have arrived twice."""

    id: UUID
    business_id: UUID
    channel: Channel
    template: Template
    language: Language
    recipient: str
    cause: str
    cause_event_id: UUID
    status: NotificationStatus
    attempts: int
    possibly_duplicate: bool
    provider: str | None
    provider_message_id: str | None
    provider_answer: str | None
    failure_reason: str | None
    created_at: UtcDatetime
    sent_at: UtcDatetime | None
    failed_at: UtcDatetime | None


def notification_out(row: Notification, cipher: FieldCipher) -> NotificationOut:
    """row: sent in a business's name, and so with everything stored."""
    assert row.business_id is not None
    assert row.recipient is not None
    assert row.language is not None
    return NotificationOut(
        id=row.id,
        business_id=row.business_id,
        channel=Channel(row.channel),
        template=Template(row.template),
        language=Language(row.language),
        recipient=masked(cipher.decrypt(row.recipient, context=row.recipient_place)),
        cause=row.cause,
        cause_event_id=row.cause_event_id,
        status=NotificationStatus(row.status),
        attempts=row.attempts,
        possibly_duplicate=row.unanswered > 0 and row.status == NotificationStatus.SENT,
        provider=row.provider,
        provider_message_id=row.provider_message_id,
        provider_answer=row.provider_answer,
        failure_reason=row.failure_reason,
        created_at=row.created_at,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
    )
