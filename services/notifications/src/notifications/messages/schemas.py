"""Messages in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.http.schemas import ResponseModel, UtcDatetime
from chassis.localization import Language

from notifications.channels.port import Channel
from notifications.delivery.progress import DeliveryStatus
from notifications.messages.classes import EventClass, class_of
from notifications.messages.masking import masked
from notifications.messages.models import Notification, NotificationStep
from notifications.messages.status import NotificationStatus, StepKind
from notifications.messages.templates import Template


class NotificationOut(ResponseModel):
    """recipient is masked. possibly_duplicate: a try went unanswered, so it may have arrived twice. delivery_status:
    what the provider has reported since it took the message on; null while it has reported nothing."""

    id: UUID
    business_id: UUID
    channel: Channel
    template: Template
    event_class: EventClass
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
    delivery_status: DeliveryStatus | None
    delivery_reported_at: UtcDatetime | None
    failure_reason: str | None
    next_attempt_at: UtcDatetime | None
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
        event_class=class_of(Template(row.template)),
        language=Language(row.language),
        recipient=masked(cipher.decrypt(row.recipient, context=row.recipient_place), Channel(row.channel)),
        cause=row.cause,
        cause_event_id=row.cause_event_id,
        status=NotificationStatus(row.status),
        attempts=row.attempts,
        possibly_duplicate=row.unanswered > 0 and row.status == NotificationStatus.SENT,
        provider=row.provider,
        provider_message_id=row.provider_message_id,
        provider_answer=row.provider_answer,
        delivery_status=DeliveryStatus(row.delivery_status) if row.delivery_status else None,
        delivery_reported_at=row.delivery_reported_at,
        failure_reason=row.failure_reason,
        next_attempt_at=row.next_attempt_at if row.status == NotificationStatus.PENDING else None,
        created_at=row.created_at,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
    )


class NotificationStepOut(ResponseModel):
    """kind: a TRY and its provider's answer, a provider's REPORT, or a REDRIVE by a person."""

    at: UtcDatetime
    kind: StepKind
    provider: str | None
    outcome: str
    answer: str | None


class NotificationDetail(NotificationOut):
    """steps: what happened to it, oldest first, at most 200."""

    steps: list[NotificationStepOut]


def notification_detail(
    row: Notification, steps: Sequence[NotificationStep], cipher: FieldCipher
) -> NotificationDetail:
    shown = [NotificationStepOut.model_validate(step) for step in steps]
    return NotificationDetail(**dict(notification_out(row, cipher)), steps=shown)
