"""The AsyncAPI 3.0 document of the bus, from the event registry."""

from __future__ import annotations

import json
import sys
from typing import Any

from contracts.events.registry import EVENTS, producer_of, queues_of


def document() -> dict[str, Any]:
    """Channels, messages, and who sends and receives them. Bodies are JSON; attributes are CloudEvents headers."""
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for name, event in EVENTS.items():
        messages[name] = {
            "name": name,
            "summary": (event.__doc__ or "").strip().split("\n")[0],
            "contentType": "application/json",
            "payload": event.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}"),
        }
        definitions = messages[name]["payload"].pop("$defs", {})
        channels[name] = {
            "address": name,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {"amqp": {"is": "routingKey", "exchange": {"name": "cobro.events", "type": "topic"}}},
        }
        sender = producer_of(event)
        operations[f"{sender}.send.{name}"] = _operation("send", name)
        for queue in queues_of(event):
            operations[f"{queue.name}.receive.{name}"] = _operation("receive", name)
        schemas |= definitions
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Cobro domain events", "version": "1"},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _operation(action: str, event: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{event}"}}


def main() -> None:
    json.dump(document(), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
