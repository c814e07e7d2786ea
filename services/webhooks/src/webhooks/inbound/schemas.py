"""Webhook events as administrators see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http.schemas import ResponseModel, UtcDatetime


class Acknowledged(ResponseModel):
    """What the provider is answered. duplicate: this notification was stored before, and nothing happened now."""

    received: bool = True
    duplicate: bool


class WebhookEventSummary(ResponseModel):
    """processed: the event has reached the bus. transaction_id: our payment, where the notification names it."""

    id: UUID
    provider: str
    provider_event_id: str
    event_type: str
    provider_ref: str | None
    transaction_id: str | None
    occurred_at: UtcDatetime
    received_at: UtcDatetime
    processed: bool
    processed_at: UtcDatetime | None


class WebhookEventDetail(WebhookEventSummary):
    """payload: the body as received; signature: the headers that proved it."""

    payload: str
    signature: dict[str, Any]


def summary(row: Any, processed_at: datetime | None) -> WebhookEventSummary:
    return WebhookEventSummary(**_fields(row, processed_at))


def detail(row: Any, processed_at: datetime | None, *, payload: str, signature: dict[str, Any]) -> WebhookEventDetail:
    return WebhookEventDetail(**_fields(row, processed_at), payload=payload, signature=signature)


def _fields(row: Any, processed_at: datetime | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider,
        "provider_event_id": row.provider_event_id,
        "event_type": row.event_type,
        "provider_ref": row.provider_ref,
        "transaction_id": row.our_reference,
        "occurred_at": row.occurred_at,
        "received_at": row.created_at,
        "processed": processed_at is not None,
        "processed_at": processed_at,
    }
