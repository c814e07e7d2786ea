"""Events of webhooks: in from providers, and out to merchants."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.events.base import DomainEvent


class WebhookReceived(DomainEvent):
    """A verified notification of a payment provider, stored once. It is a hint: the payment is read again there.

    our_reference is the payment id we gave the provider, where the notification repeats it. account_id: the business's
    own account at the provider whose secret proved it; None for the platform's.
    """

    type: ClassVar[str] = "webhook.received"
    aggregate_type: ClassVar[str] = "webhook_event"

    webhook_event_id: UUID
    provider: str
    provider_event_id: str
    event_type: str
    provider_ref: str | None
    our_reference: str | None
    account_id: UUID | None = None


class WebhookEndpointDisabled(DomainEvent):
    """We switched a merchant's endpoint off. reason: "gone" (it answered 410) or "failing" (nothing but failures for
    five days). Of its URL only the host is told."""

    type: ClassVar[str] = "webhook_endpoint.disabled"
    aggregate_type: ClassVar[str] = "webhook_endpoint"

    business_id: UUID
    host: str
    reason: str
    failing_since: datetime | None
    disabled_at: datetime
