"""An event as merchants get it: what it said when it happened, never what is true by now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.events import DomainEvent


def payload(event_id: UUID, event: DomainEvent, occurred_at: datetime) -> str:
    """`{"id", "type", "timestamp", "sequence", "data": {"id", "object", …}}`, data being the event's snapshot.

    sequence grows with every change of data.id: what arrives with a smaller one than was seen is older news.
    """
    body = event.body()
    subject, sequence = body.pop("aggregateId"), body.pop("aggregateVersion")
    data = {"id": subject, "object": event.aggregate_type, **body}
    return written(event_id, event.type, occurred_at, sequence, data)


def written(event_id: UUID, kind: str, at: datetime, sequence: int, data: dict[str, Any]) -> str:
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = {"id": str(event_id), "type": kind, "timestamp": timestamp, "sequence": sequence, "data": data}
    return json.dumps(envelope, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
