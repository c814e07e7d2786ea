"""Events of messages to buyers and merchants."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.events.base import DomainEvent


class _NotificationChange(DomainEvent):
    """cause_event_id: the event that asked for the message; template: its name, such as "receipt"."""

    aggregate_type: ClassVar[str] = "notification"

    channel: str
    template: str
    cause_event_id: UUID


class NotificationSent(_NotificationChange):
    type: ClassVar[str] = "notification.sent"


class NotificationFailed(_NotificationChange):
    type: ClassVar[str] = "notification.failed"

    reason: str
