"""What a provider reports of one message, whoever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications.delivery.progress import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Report:
    """event_id: the same when it is sent again. answer: short and safe to show, without what servers said in words:
    they repeat addresses. unwanted: the reader has said so to their mail program. at: None for now.
    """

    notification_id: UUID
    event_id: str
    status: DeliveryStatus
    answer: str
    provider_message_id: str = ""
    unwanted: bool = False
    at: datetime | None = None
