"""Request and response models of endpoints."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from chassis.http.schemas import LongText, RequestModel, ResponseModel, UtcDatetime
from contracts.events.auth import BusinessDeleted
from contracts.events.registry import queue
from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, field_validator

from webhooks.endpoints.destinations import MAX_URL
from webhooks.endpoints.models import WebhookEndpoint

QUEUE: Final = "webhooks.merchants"
EVENT_TYPES: Final = tuple(event.type for event in queue(QUEUE).events if event is not BusinessDeleted)
"""What a merchant may subscribe to: all that the queue brings and that is not for our own housekeeping."""


def _known(event_type: str) -> str:
    if event_type not in EVENT_TYPES:
        raise ValueError(f"must be one of {', '.join(EVENT_TYPES)}")
    return event_type


def _once(events: list[str]) -> list[str]:
    return list(dict.fromkeys(events))


EventType = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(EVENT_TYPES), "title": "EventType"})
]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=len(EVENT_TYPES)), AfterValidator(_once)]
Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    WithJsonSchema(
        {"type": "string", "format": "uri", "maxLength": MAX_URL, "examples": ["https://example.com/cobro"]}
    ),
]


class EndpointCreate(RequestModel):
    """url: https, a public host by its name. events: the types it is sent."""

    business_id: UUID
    url: Url
    events: EventTypes
    description: LongText | None = None
    is_active: bool = True


class EndpointPatch(RequestModel):
    """Only what is named changes; null clears the description. isActive true switches on again what was disabled."""

    url: Url | None = None
    events: EventTypes | None = None
    description: LongText | None = None
    is_active: bool | None = None

    @field_validator("url", "events", "is_active", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be null")
        return value


class EndpointOut(ResponseModel):
    """disabledReason: why we switched it off ("gone": it answered 410; "failing": nothing but failures for five days);
    null where nobody did, or the merchant. failingSince: the first failure since its last success."""

    id: UUID
    business_id: UUID
    url: str
    description: str | None
    events: list[str]
    is_active: bool
    disabled_reason: Literal["gone", "failing"] | None
    disabled_at: UtcDatetime | None
    failing_since: UtcDatetime | None
    previous_secret_until: UtcDatetime | None
    created_at: UtcDatetime
    updated_at: UtcDatetime


class EndpointWithSecret(EndpointOut):
    """secret: signs what the endpoint is sent (Standard Webhooks, `whsec_` and base64). It is shown this once."""

    secret: str


def shown(endpoint: WebhookEndpoint) -> EndpointOut:
    return EndpointOut.model_validate(endpoint)


def shown_with(endpoint: WebhookEndpoint, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret(**{**shown(endpoint).model_dump(), "secret": secret})
