"""What may be read of a provider's answer: one short field, never all of it."""

from __future__ import annotations

from chassis.outbound import OutboundResponse
from chassis.strict_json import InvalidJson


def field_of(response: OutboundResponse, name: str) -> str:
    """A text or a number of the answer's JSON object; empty where it has none, or is none."""
    try:
        body = response.json()
    except InvalidJson:
        return ""
    value = body.get(name) if isinstance(body, dict) else None
    text = str(value)[:128] if isinstance(value, str | int) else ""
    return text if text.isascii() and text.isprintable() else ""
