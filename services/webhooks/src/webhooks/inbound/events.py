"""A stored notification as the event that tells payments to look."""

from __future__ import annotations

from uuid import UUID

from contracts.events.webhooks import WebhookReceived
from psp.provider import WebhookEvent as ProviderEvent


def received(
    event_id: UUID, event: ProviderEvent, *, account_id: UUID | None = None, version: int = 1
) -> WebhookReceived:
    return WebhookReceived(
        aggregate_id=event_id,
        aggregate_version=version,
        webhook_event_id=event_id,
        provider=event.provider,
        provider_event_id=event.event_id,
        event_type=event.event_type,
        provider_ref=event.provider_ref,
        our_reference=event.our_reference,
        account_id=account_id,
    )
