"""Conekta's API, as far as an integrator of orders, refunds, events and webhooks meets it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from fastapi import APIRouter, Request

from twins.conekta import errors, requests, shapes
from twins.conekta.calls import ConektaCalls, known_references, order_references
from twins.conekta.events import EVENT, WEBHOOK, Events, delivery_log
from twins.conekta.ledger import ORDER, Ledger, Search
from twins.conekta.settings import ORDER_EVENTS
from twins.conekta.signing import Keys
from twins.faults import FaultKind, FaultPlan
from twins.provider.book import Json
from twins.store import Store


class Api:
    def __init__(
        self,
        store: Store,
        calls: ConektaCalls,
        faults: FaultPlan,
        ledger: Ledger,
        events: Events,
        keys: Keys,
        base_url: str,
    ) -> None:
        self._store = store
        self._calls = calls
        self._faults = faults
        self._ledger = ledger
        self._events = events
        self._keys = keys
        self._base_url = base_url

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/conekta", include_in_schema=False)
        for method, path, operation, handler, references in (
            ("POST", "/orders", "orders.create", self.create_order, lambda _, body: order_references(body)),
            ("GET", "/orders", "orders.search", self.search_orders, self._of_search),
            ("GET", "/orders/{id}", "orders.get", self.get_order, self._of_order),
            ("POST", "/orders/{id}/cancel", "orders.cancel", self.cancel_order, self._of_order),
            ("POST", "/orders/{id}/refunds", "orders.refund", self.refund_order, self._of_order),
            ("GET", "/events", "events.list", self.list_events, _nothing),
            ("GET", "/events/{id}", "events.get", self.get_event, _nothing),
            ("POST", "/events/{id}/resend", "events.resend", self.resend_event, _nothing),
            ("GET", "/webhooks", "webhooks.list", self.list_webhooks, _nothing),
            ("POST", "/webhooks", "webhooks.create", self.create_webhook, _nothing),
            ("GET", "/webhooks/{id}", "webhooks.get", self.get_webhook, _nothing),
            ("DELETE", "/webhooks/{id}", "webhooks.delete", self.delete_webhook, _nothing),
            ("POST", "/webhooks/{id}/test", "webhooks.test", self.test_webhook, _nothing),
            ("GET", "/webhook_keys", "webhook_keys.list", self.list_keys, _nothing),
            ("POST", "/webhook_keys", "webhook_keys.create", self.create_key, _nothing),
            ("GET", "/webhook_keys/{id}", "webhook_keys.get", self.get_key, _nothing),
            ("PUT", "/webhook_keys/{id}", "webhook_keys.update", self.update_key, _nothing),
            ("DELETE", "/webhook_keys/{id}", "webhook_keys.delete", self.delete_key, _nothing),
        ):
            router.add_route(router.prefix + path, self._calls.endpoint(operation, handler, references), [method])
        return router

    def create_order(self, request: Request, body: Any) -> Json:
        return self._ledger.create(requests.read(requests.Order, body))

    def get_order(self, request: Request, body: Any) -> Json:
        return self._ledger.get(request.path_params["id"])

    def search_orders(self, request: Request, body: Any) -> Json:
        query = request.query_params
        limit = _limit(query.get("limit"))
        wanted = Search(
            text=query.get("search"),
            payment_status=query.get("payment_status"),
            created_from=_epoch(query, "created_at.gte"),
            created_to=_epoch(query, "created_at.lte"),
        )
        orders, has_more = self._ledger.search(wanted, limit, query.get("next"))
        following = f"{self._base_url}/conekta/orders?limit={limit}&next={orders[-1]['id']}" if has_more else None
        return shapes.listing(orders, has_more=has_more, next_page_url=following)

    def cancel_order(self, request: Request, body: Any) -> Json:
        return self._ledger.cancel(request.path_params["id"])

    def refund_order(self, request: Request, body: Any) -> Json:
        if self._faults.take({FaultKind.REFUND_DECLINED}, "orders.refund", self._of_order(request, body)):
            raise errors.refund_declined()
        return self._ledger.refund(request.path_params["id"], requests.read(requests.Refund, body))

    def list_events(self, request: Request, body: Any) -> Json:
        limit = _limit(request.query_params.get("limit"))
        events = self._store.newest(EVENT, limit + 1, request.query_params.get("next"))
        return shapes.listing(events[:limit], has_more=len(events) > limit)

    def get_event(self, request: Request, body: Any) -> Json:
        return _found(self._store.get(EVENT, request.path_params["id"]))

    def resend_event(self, request: Request, body: Any) -> Json:
        event = _found(self._store.get(EVENT, request.path_params["id"]))
        urls = self._events.resend(event, requests.read(requests.Resend, body or {}).webhooks_ids)
        if not urls:
            raise errors.not_found()
        logs = {log["url"]: log for log in event["webhook_logs"]}
        fresh = {"id": event["id"], "url": urls[0], "attempts": 0, "state": "pending", "last_status": None}
        return logs.get(urls[0]) or delivery_log(fresh, int(time.time()))

    def list_webhooks(self, request: Request, body: Any) -> Json:
        return shapes.listing(self._events.webhooks())

    def create_webhook(self, request: Request, body: Any) -> Json:
        wanted = requests.read(requests.Webhook, body)
        if len(self._events.webhooks()) >= 10:
            raise errors.invalid("url", "too_many", "Hay un máximo de 10 webhooks.")
        events = list(ORDER_EVENTS) if wanted.subscribed_events is None else wanted.subscribed_events
        webhook = shapes.webhook(wanted.url, events)
        self._store.put(WEBHOOK, webhook["id"], webhook)
        return webhook

    def get_webhook(self, request: Request, body: Any) -> Json:
        return _found(next((hook for hook in self._events.webhooks() if hook["id"] == request.path_params["id"]), None))

    def delete_webhook(self, request: Request, body: Any) -> Json:
        webhook = _found(self._store.get(WEBHOOK, request.path_params["id"]))
        self._store.delete(WEBHOOK, webhook["id"])
        return webhook | {"deleted": True}

    def test_webhook(self, request: Request, body: Any) -> Json:
        webhook = self.get_webhook(request, body)
        self._events.ping(webhook["url"])
        return webhook

    def list_keys(self, request: Request, body: Any) -> Json:
        return shapes.listing(self._keys.list())

    def create_key(self, request: Request, body: Any) -> Json:
        return self._keys.create(active=requests.read(requests.WebhookKey, body or {}).active)

    def get_key(self, request: Request, body: Any) -> Json:
        return _found(self._keys.get(request.path_params["id"]))

    def update_key(self, request: Request, body: Any) -> Json:
        active = requests.read(requests.WebhookKey, body or {}).active
        return _found(self._keys.update(request.path_params["id"], active=active))

    def delete_key(self, request: Request, body: Any) -> Json:
        return _found(self._keys.delete(request.path_params["id"]))

    def _of_order(self, request: Request, body: Any) -> Collection[str]:
        return known_references(self._store.get(ORDER, request.path_params["id"]))

    def _of_search(self, request: Request, body: Any) -> Collection[str]:
        text = request.query_params.get("search")
        return {text} if text else ()


def _nothing(request: Request, body: Any) -> Collection[str]:
    return ()


def _found(resource: Json | None) -> Json:
    if resource is None:
        raise errors.not_found()
    return resource


def _epoch(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 12:
        raise errors.invalid(name, "invalid", f"{name} debe ser una fecha en segundos.")
    return int(value)


def _limit(value: str | None) -> int:
    if value is None:
        return 20
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= 250:
        raise errors.invalid("limit", "range", "limit va de 1 a 250.")
    return int(value)
