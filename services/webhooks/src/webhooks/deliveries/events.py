"""The notice that an endpoint was switched off."""

from __future__ import annotations

from datetime import datetime

from contracts.events.webhooks import WebhookEndpointDisabled
from yarl import URL

from webhooks.endpoints.models import WebhookEndpoint


def disabled(endpoint: WebhookEndpoint, reason: str, at: datetime) -> WebhookEndpointDisabled:
    """With the host alone: the rest of a URL may be a secret."""
    return WebhookEndpointDisabled(
        aggregate_id=endpoint.id,
        aggregate_version=endpoint.version,
        business_id=endpoint.business_id,
        host=URL(endpoint.url).host or "",
        reason=reason,
        failing_since=endpoint.failing_since,
        disabled_at=at,
    )
