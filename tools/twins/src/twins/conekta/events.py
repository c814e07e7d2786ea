"""Conekta's events, who subscribed to them, and how they are signed and posted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence

from twins.conekta import shapes
from twins.conekta.ledger import reference_keys
from twins.conekta.signing import Keys
from twins.faults import FaultKind
from twins.provider.book import Json
from twins.provider.deliveries import Deliveries, Notice, Post
from twins.store import Store

EVENT = "conekta.event"
WEBHOOK = "conekta.webhook"


class ConektaSender:
    """Header DIGEST, RSA-SHA256 over the body; anything but a 200 is repeated."""

    # Conekta publishes no schedule; this one is ours.
    schedule: Sequence[float] = (5, 15, 60, 300, 900, 3600, 3600, 3600, 3600, 3600)
    timeout_seconds = 10.0

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def compose(self, notice: Notice, attempt: int, forgery: FaultKind | None) -> Post:
        signed = notice.message.encode()
        body = self.with_other_amount(notice.message).encode() if forgery is FaultKind.ALTERED else signed
        digest = self._keys.forge(signed) if forgery is FaultKind.FORGED else self._keys.sign(signed)
        headers = {"Content-Type": "application/json; charset=utf-8", "DIGEST": digest, "User-Agent": "Conekta-twin"}
        return Post(notice.url, body, headers)

    def with_other_amount(self, message: str) -> str:
        event = json.loads(message)
        event["data"]["object"]["amount"] += 100
        return _text(event)

    def accepts(self, status: int) -> bool:
        return status == 200

    def attempted(self, delivery: Json) -> None:
        event = self._store.get(EVENT, delivery["event_id"])
        if event is None:
            return
        event["webhook_status"] = "successful" if delivery["state"] == "delivered" else "failing"
        event["webhook_logs"] = [log for log in event["webhook_logs"] if log["url"] != delivery["url"]] + [
            delivery_log(delivery, int(time.time()))
        ]
        self._store.put(EVENT, event["id"], event)


class Events:
    def __init__(
        self, store: Store, deliveries: Deliveries[ConektaSender], *, endpoint: tuple[str, Sequence[str]] | None
    ) -> None:
        """endpoint: address and event types that are subscribed from the start."""
        self._store = store
        self._deliveries = deliveries
        self._fixed = shapes.webhook(endpoint[0], list(endpoint[1])) if endpoint else None

    def webhooks(self) -> list[Json]:
        made = self._store.newest(WEBHOOK, 100)
        return [self._fixed, *made] if self._fixed else made

    def emit(self, type: str, resource: Json) -> None:
        event = shapes.event(type, {"object": resource, "previous_attributes": {}}, int(time.time()))
        self._store.put(EVENT, event["id"], event)
        references = reference_keys(resource) if resource["object"] == "order" else {resource["order_id"]}
        for endpoint in self.webhooks():
            if endpoint["active"] and type in endpoint["subscribed_events"]:
                self._deliveries.announce(_notice(event, endpoint["url"]), references)

    def resend(self, event: Json, webhook_ids: Iterable[str] | None = None) -> list[str]:
        """Deliver once more to all endpoints, or to these; returns their addresses."""
        chosen = None if webhook_ids is None else set(webhook_ids)
        urls = [hook["url"] for hook in self.webhooks() if hook["active"] and (chosen is None or hook["id"] in chosen)]
        for url in urls:
            self._deliveries.send(_notice(event, url))
        return urls

    def ping(self, url: str) -> None:
        event = shapes.event("webhook_ping", {"livemode": False, "action": "ping"}, int(time.time()))
        self._store.put(EVENT, event["id"], event)
        self._deliveries.send(_notice(event, url))


def delivery_log(delivery: Json, now: int) -> Json:
    failed = delivery["attempts"] - (1 if delivery["state"] == "delivered" else 0)
    return {
        "id": f"webhl_{delivery['id'][:17]}",
        "object": "webhook_log",
        "url": delivery["url"],
        "failed_attempts": failed,
        "last_http_response_status": delivery["last_status"] or 0,
        "last_attempted_at": now,
        "response_data": {},
    }


def _notice(event: Json, url: str) -> Notice:
    resource = event["data"].get("object") or {}
    payment_id = str(resource.get("order_id") or resource.get("id"))
    return Notice(event["id"], event["type"], payment_id, url, _text(event), {})


def _text(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
