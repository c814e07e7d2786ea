"""Conekta's events and their deliveries: signed posts, repeated until a 200, with faults on command."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import time
from collections.abc import Iterable, Sequence

import aiohttp

from twins.conekta import shapes
from twins.conekta.ledger import reference_keys
from twins.conekta.shapes import Json
from twins.conekta.signing import Keys
from twins.faults import WEBHOOK_FAULTS, Fault, FaultKind, FaultPlan
from twins.store import Store

_LOG = logging.getLogger(__name__)

EVENT = "conekta.event"
WEBHOOK = "conekta.webhook"
DELIVERY = "conekta.delivery"

# Conekta publishes no schedule; this one is ours.
_BACKOFF_SECONDS = (5, 15, 60, 300, 900, 3600, 3600, 3600, 3600, 3600)
_ATTEMPT_SECONDS = 10
_CONCURRENCY = 32


class Events:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        faults: FaultPlan,
        *,
        endpoint: tuple[str, Sequence[str]] | None,
        time_scale: float,
    ) -> None:
        """endpoint: address and event types that are subscribed from the start."""
        self._store = store
        self._keys = keys
        self._faults = faults
        self._fixed = shapes.webhook(endpoint[0], list(endpoint[1])) if endpoint else None
        self._time_scale = time_scale
        self._wake = asyncio.Event()
        self._in_flight: set[str] = set()

    def webhooks(self) -> list[Json]:
        made = self._store.newest(WEBHOOK, 100)
        return [self._fixed, *made] if self._fixed else made

    def emit(self, type: str, resource: Json) -> None:
        event = shapes.event(type, {"object": resource, "previous_attributes": {}}, int(time.time()))
        self._store.put(EVENT, event["id"], event)
        endpoints = [hook for hook in self.webhooks() if hook["active"] and type in hook["subscribed_events"]]
        for endpoint in endpoints:
            self._schedule(event, endpoint["url"])

    def resend(self, event: Json, webhook_ids: Iterable[str] | None = None) -> list[str]:
        """Deliver once more to all endpoints, or to these; returns their addresses."""
        chosen = None if webhook_ids is None else set(webhook_ids)
        urls = [hook["url"] for hook in self.webhooks() if hook["active"] and (chosen is None or hook["id"] in chosen)]
        for url in urls:
            self._deliver(event, url)
        return urls

    def ping(self, url: str) -> None:
        event = shapes.event("webhook_ping", {"livemode": False, "action": "ping"}, int(time.time()))
        self._store.put(EVENT, event["id"], event)
        self._deliver(event, url)

    async def run(self) -> None:
        """Deliver what is due, for ever. What was due before a restart is delivered after it."""
        limit = asyncio.Semaphore(_CONCURRENCY)
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_ATTEMPT_SECONDS), cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            while True:
                self._wake.clear()
                for id in self._store.due(DELIVERY, time.time(), 500):
                    if id not in self._in_flight:
                        self._in_flight.add(id)
                        tasks.create_task(self._attempt(session, limit, id))
                await self._until_due()

    async def _until_due(self) -> None:
        # What is in flight stays due until its answer; a short floor keeps that from spinning.
        due = self._store.next_due(DELIVERY)
        wait = 1.0 if due is None else min(1.0, max(0.02, due - time.time()))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    def _schedule(self, event: Json, url: str) -> None:
        resource = event["data"]["object"]
        references = reference_keys(resource) if resource["object"] == "order" else {resource["order_id"]}
        fault = self._faults.take(WEBHOOK_FAULTS, event["type"], references)
        match fault:
            case None:
                self._deliver(event, url)
            case Fault(kind=FaultKind.DROP):
                _LOG.info("twins.conekta.webhook_dropped event=%s", event["id"])
            case Fault(kind=FaultKind.DUPLICATE):
                for _ in range(fault.count + 1):
                    self._deliver(event, url)
            case Fault(kind=FaultKind.LATE):
                self._deliver(event, url, delay=2.0 if fault.seconds is None else fault.seconds)
            case Fault(kind=FaultKind.OUT_OF_ORDER):
                self._deliver(event, url, delay=5.0 if fault.seconds is None else fault.seconds, overtaken=True)
            case Fault(kind=FaultKind.WRONG_AMOUNT):
                self._deliver(_with_other_amount(event), url)
            case _:
                # A stranger posts beside Conekta, once, and first; the true event follows a moment later.
                self._deliver(event, url, forgery=fault.kind)
                self._deliver(event, url, delay=0.2 if fault.seconds is None else fault.seconds)

    def _deliver(
        self, event: Json, url: str, *, delay: float = 0, overtaken: bool = False, forgery: FaultKind | None = None
    ) -> None:
        resource = event["data"].get("object") or {}
        delivery = {
            "id": shapes.hex_id(),
            "event_id": event["id"],
            "type": event["type"],
            "order_id": resource.get("order_id") or resource.get("id"),
            "url": url,
            "body": json.dumps(event, ensure_ascii=False, separators=(",", ":")),
            "attempts": 0,
            "last_status": None,
            "state": "pending",
            "overtaken": overtaken,
            "forgery": forgery,
        }
        self._store.put(DELIVERY, delivery["id"], delivery, due=time.time() + delay, keys=[str(delivery["order_id"])])
        self._wake.set()

    async def _attempt(self, session: aiohttp.ClientSession, limit: asyncio.Semaphore, id: str) -> None:
        try:
            delivery = self._store.get(DELIVERY, id)
            if delivery is None:
                return
            async with limit:
                status = await self._post(session, delivery)
            self._record(delivery, status)
        finally:
            self._in_flight.discard(id)

    async def _post(self, session: aiohttp.ClientSession, delivery: Json) -> int | None:
        sent = body = delivery["body"].encode()
        if delivery["forgery"] == FaultKind.ALTERED:
            sent = json.dumps(_with_other_amount(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
        digest = self._keys.forge(body) if delivery["forgery"] == FaultKind.FORGED else self._keys.sign(body)
        headers = {"Content-Type": "application/json; charset=utf-8", "DIGEST": digest, "User-Agent": "Conekta-twin"}
        try:
            async with session.post(delivery["url"], data=sent, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _LOG.info("twins.conekta.webhook_unanswered event=%s reason=%s", delivery["event_id"], type(error).__name__)
            return None

    def _record(self, delivery: Json, status: int | None) -> None:
        if self._store.get(DELIVERY, delivery["id"]) is None:
            return  # everything was reset meanwhile
        attempts = delivery["attempts"] + 1
        delivery |= {"attempts": attempts, "last_status": status}
        due = None
        if status == 200:
            delivery["state"] = "delivered"
        elif delivery["forgery"] or attempts > len(_BACKOFF_SECONDS):
            delivery["state"] = "failed"
        else:
            due = time.time() + _BACKOFF_SECONDS[attempts - 1] / self._time_scale
        self._store.put(DELIVERY, delivery["id"], delivery, due=due)
        if delivery["forgery"]:
            return
        self._log_on_event(delivery, status)
        if status == 200:
            self._release_overtaken(delivery)

    def _log_on_event(self, delivery: Json, status: int | None) -> None:
        event = self._store.get(EVENT, delivery["event_id"])
        if event is None:
            return
        event["webhook_status"] = "successful" if status == 200 else "failing"
        event["webhook_logs"] = [log for log in event["webhook_logs"] if log["url"] != delivery["url"]] + [
            delivery_log(delivery, int(time.time()))
        ]
        self._store.put(EVENT, event["id"], event)

    def _release_overtaken(self, delivery: Json) -> None:
        """An event held back goes out once a later one of its order has arrived."""
        newest_first = self._store.find(DELIVERY, str(delivery["order_id"]))
        position = [other["id"] for other in newest_first].index(delivery["id"])
        for held in newest_first[position + 1 :]:
            if held["overtaken"] and held["state"] == "pending" and held["attempts"] == 0:
                self._store.put(DELIVERY, held["id"], held, due=time.time())
                self._wake.set()


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


def _with_other_amount(event: Json) -> Json:
    altered = copy.deepcopy(event)
    altered["data"]["object"]["amount"] += 100
    return altered
