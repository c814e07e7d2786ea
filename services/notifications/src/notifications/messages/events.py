"""What became of a message, as events."""

from __future__ import annotations

from contracts.events.notifications import NotificationFailed, NotificationSent

from notifications.messages.models import Notification


def sent(notification: Notification) -> NotificationSent:
    return NotificationSent(
        aggregate_id=notification.id,
        aggregate_version=notification.version,
        business_id=notification.business_id,
        channel=notification.channel,
        template=notification.template,
        cause_event_id=notification.cause_event_id,
    )


def failed(notification: Notification) -> NotificationFailed:
    return NotificationFailed(
        aggregate_id=notification.id,
        aggregate_version=notification.version,
        business_id=notification.business_id,
        channel=notification.channel,
        template=notification.template,
        cause_event_id=notification.cause_event_id,
        reason=notification.failure_reason or "unknown",
    )
