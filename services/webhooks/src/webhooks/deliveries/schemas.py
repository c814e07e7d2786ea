"""Deliveries as their merchant sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from chassis.http.schemas import ResponseModel, UtcDatetime

from webhooks.deliveries.models import WebhookAttempt, WebhookDelivery
from webhooks.deliveries.status import DeliveryStatus, Outcome


class DeliveryOut(ResponseModel):
    """id: of the delivery; eventId: what the endpoint gets as webhook-id, the same with every try. nextAttemptAt: null
    where none is to come. last…: of the latest try."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject_id: UUID
    sequence: int
    status: DeliveryStatus
    tries: int
    next_attempt_at: UtcDatetime | None
    last_outcome: Outcome | None
    last_status_code: int | None
    last_attempt_at: UtcDatetime | None
    delivered_at: UtcDatetime | None
    occurred_at: UtcDatetime
    created_at: UtcDatetime


class AttemptOut(ResponseModel):
    """One try. answer: the beginning of the body that came back, 2 KB at most; null where none did."""

    number: int
    url: str
    outcome: Outcome
    status_code: int | None
    answer: str | None
    duration_ms: int
    attempted_at: UtcDatetime


class DeliveryDetail(DeliveryOut):
    """payload: the body that was sent; attempts: oldest first."""

    payload: dict[str, Any]
    attempts: list[AttemptOut]


class Recovered(ResponseModel):
    """recovered: deliveries that are sent again. more: there are others, to be asked for once these are through."""

    recovered: int
    more: bool


def shown(delivery: WebhookDelivery) -> DeliveryOut:
    return DeliveryOut.model_validate(delivery)


def attempt(row: WebhookAttempt, answer: bytes | None) -> AttemptOut:
    """What merchants' servers answer need not be text."""
    return AttemptOut(
        number=row.number,
        url=row.url,
        outcome=Outcome(row.outcome),
        status_code=row.status_code,
        answer=None if answer is None else answer.decode("utf-8", "replace"),
        duration_ms=row.duration_ms,
        attempted_at=row.attempted_at,
    )


def detail(delivery: WebhookDelivery, attempts: list[AttemptOut]) -> DeliveryDetail:
    payload: dict[str, Any] = orjson.loads(delivery.payload)
    return DeliveryDetail(**{**shown(delivery).model_dump(), "payload": payload, "attempts": attempts})
