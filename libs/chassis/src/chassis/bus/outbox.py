"""An event as a row of the outbox, and that row as a message: CloudEvents 1.0, binary mode."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import aio_pika
import orjson
from contracts.events import DomainEvent
from kernel import new_id

from chassis.telemetry import tracing

PREFIX: Final = "cloudEvents:"
_INSERT: Final = (
    "INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body, headers,"
    " occurred_at) SELECT :event_id, :event_business_id, :event_aggregate_type, :event_aggregate_id,"
    " :event_aggregate_version, :event_type, :event_body, :event_headers, :event_occurred_at FROM "
)


def outbox_row(event: DomainEvent, now: datetime) -> dict[str, Any]:
    """Column values for an INSERT into the outbox. The trace of the request that caused the event travels along."""
    return {
        "event_id": new_id(),
        "business_id": event.business_id,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "aggregate_version": event.aggregate_version,
        "type": event.type,
        "body": event.body(),
        "headers": tracing.inject({}),
        "occurred_at": now,
    }


def outbox_sql(source: str) -> str:
    """The same INSERT as text, once for each row of the CTE `source`; its parameters are `outbox_parameters`."""
    return _INSERT + source


def outbox_parameters(event: DomainEvent, now: datetime) -> dict[str, Any]:
    """Parameters of `outbox_sql`, all named event_…"""
    row = outbox_row(event, now)
    row |= {"body": orjson.dumps(row["body"]).decode(), "headers": orjson.dumps(row["headers"]).decode()}
    return {name if name == "event_id" else f"event_{name}": value for name, value in row.items()}


def message_of(row: Any, service: str) -> aio_pika.Message:
    """A persistent message: attributes in headers, the event's fields as the JSON body."""
    event_id = str(row.event_id)
    headers: dict[str, Any] = {
        f"{PREFIX}specversion": "1.0",
        f"{PREFIX}id": event_id,
        f"{PREFIX}source": f"/cobro/{service}",
        f"{PREFIX}type": row.type,
        f"{PREFIX}time": row.occurred_at.isoformat(),
        f"{PREFIX}subject": str(row.aggregate_id),
        **row.headers,
    }
    if row.business_id is not None:
        headers[f"{PREFIX}businessid"] = str(row.business_id)
    return aio_pika.Message(
        orjson.dumps(row.body),
        headers=headers,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event_id,
        type=row.type,
    )


def attributes(headers: Mapping[str, Any]) -> tuple[UUID, str, datetime]:
    """CloudEvents id, type and time. Raises KeyError or ValueError on a message that is no event of ours."""
    return (
        UUID(str(headers[f"{PREFIX}id"])),
        str(headers[f"{PREFIX}type"]),
        datetime.fromisoformat(str(headers[f"{PREFIX}time"])),
    )
