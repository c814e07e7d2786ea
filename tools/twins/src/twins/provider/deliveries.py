"""Notifications on their way: signed when sent, repeated until accepted, with faults on command."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import aiohttp

from twins.faults import WEBHOOK_FAULTS, Fault, FaultKind, FaultPlan
from twins.provider.book import Json
from twins.store import Store

_LOG = logging.getLogger(__name__)

_CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class Notice:
    """event_id: the same for every repetition. payment_id: the provider's, what order is kept by. message: what is
    sent, as text; whatever else a sender needs is in context.
    """

    event_id: str
    type: str
    payment_id: str
    url: str
    message: str
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Post:
    url: str
    body: bytes
    headers: Mapping[str, str]


class Sender(Protocol):
    """What only the provider knows of its notifications. schedule: seconds until each repetition, then it gives up."""

    schedule: Sequence[float]
    timeout_seconds: float

    def compose(self, notice: Notice, attempt: int, forgery: FaultKind | None) -> Post:
        """attempt: from 0. forgery: FORGED is signed with another key, ALTERED is changed after it was signed."""
        ...

    def with_other_amount(self, message: str) -> str: ...

    def accepts(self, status: int) -> bool: ...

    def attempted(self, delivery: Json) -> None:
        """After each attempt that was no forgery."""
        ...


SenderT = TypeVar("SenderT", bound=Sender)


class Deliveries(Generic[SenderT]):
    def __init__(self, store: Store, faults: FaultPlan, name: str, sender: SenderT, time_scale: float) -> None:
        """time_scale: what the schedule is divided by."""
        self._store = store
        self._faults = faults
        self._name = name
        self.sender = sender
        self._time_scale = time_scale
        self.kind = f"{name}.notice"
        self._wake = asyncio.Event()
        self._in_flight: set[str] = set()

    def announce(self, notice: Notice, references: Collection[str]) -> None:
        """Send it, unless a fault decides otherwise. references: what a fault may call the payment by."""
        fault = self._faults.take(WEBHOOK_FAULTS, notice.type, references)
        match fault:
            case None:
                self.send(notice)
            case Fault(kind=FaultKind.DROP):
                _LOG.info("twins.webhook_dropped twin=%s event=%s", self._name, notice.event_id)
            case Fault(kind=FaultKind.DUPLICATE):
                for _ in range(fault.count + 1):
                    self.send(notice)
            case Fault(kind=FaultKind.LATE):
                self.send(notice, delay=2.0 if fault.seconds is None else fault.seconds)
            case Fault(kind=FaultKind.OUT_OF_ORDER):
                self.send(notice, delay=5.0 if fault.seconds is None else fault.seconds, overtaken=True)
            case Fault(kind=FaultKind.WRONG_AMOUNT):
                self.send(notice, message=self.sender.with_other_amount(notice.message))
            case _:
                # A stranger posts beside the provider, once, and first; the true notice follows a moment later.
                self.send(notice, forgery=fault.kind)
                self.send(notice, delay=0.2 if fault.seconds is None else fault.seconds)

    def send(
        self,
        notice: Notice,
        *,
        message: str | None = None,
        delay: float = 0,
        overtaken: bool = False,
        forgery: FaultKind | None = None,
    ) -> None:
        delivery: Json = {
            "id": secrets.token_hex(12),
            "event_id": notice.event_id,
            "type": notice.type,
            "payment_id": notice.payment_id,
            "url": notice.url,
            "body": notice.message if message is None else message,
            "context": dict(notice.context),
            "attempts": 0,
            "last_status": None,
            "state": "pending",
            "overtaken": overtaken,
            "forgery": forgery,
        }
        keys = (notice.payment_id, f"event:{notice.event_id}")
        self._store.put(self.kind, delivery["id"], delivery, due=time.time() + delay, keys=keys)
        self._wake.set()

    def send_again(self, event_id: str) -> bool:
        """Everywhere it was sent. False: there is no such notice."""
        sent = self._store.find(self.kind, f"event:{event_id}", limit=1000)
        latest = {delivery["url"]: delivery for delivery in reversed(sent) if not delivery["forgery"]}
        for delivery in latest.values():
            self.send(_notice(delivery))
        return bool(latest)

    def of_payment(self, payment_id: str, limit: int = 1000) -> list[Json]:
        """Newest first."""
        return self._store.find(self.kind, payment_id, limit)

    def newest(self, limit: int) -> list[Json]:
        return self._store.newest(self.kind, limit)

    async def run(self) -> None:
        """Send what is due, for ever. What was due before a restart is sent after it."""
        limit = asyncio.Semaphore(_CONCURRENCY)
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.sender.timeout_seconds), cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            while True:
                self._wake.clear()
                for id in self._store.due(self.kind, time.time(), 500):
                    if id not in self._in_flight:
                        self._in_flight.add(id)
                        tasks.create_task(self._attempt(session, limit, id))
                await self._until_due()

    async def _until_due(self) -> None:
        # What is in flight stays due until its answer; a short floor keeps that from spinning.
        due = self._store.next_due(self.kind)
        wait = 1.0 if due is None else min(1.0, max(0.02, due - time.time()))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _attempt(self, session: aiohttp.ClientSession, limit: asyncio.Semaphore, id: str) -> None:
        try:
            delivery = self._store.get(self.kind, id)
            if delivery is None:
                return
            async with limit:
                status = await self._post(session, delivery)
            self._record(delivery, status)
        finally:
            self._in_flight.discard(id)

    async def _post(self, session: aiohttp.ClientSession, delivery: Json) -> int | None:
        forgery = FaultKind(delivery["forgery"]) if delivery["forgery"] else None
        post = self.sender.compose(_notice(delivery), delivery["attempts"], forgery)
        try:
            async with session.post(post.url, data=post.body, headers=post.headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__
            _LOG.info("twins.webhook_unanswered twin=%s event=%s reason=%s", self._name, delivery["event_id"], reason)
            return None

    def _record(self, delivery: Json, status: int | None) -> None:
        if self._store.get(self.kind, delivery["id"]) is None:
            return  # everything was reset meanwhile
        accepted = status is not None and self.sender.accepts(status)
        attempts = delivery["attempts"] + 1
        delivery |= {"attempts": attempts, "last_status": status}
        due = None
        if accepted:
            delivery["state"] = "delivered"
        elif delivery["forgery"] or attempts > len(self.sender.schedule):
            delivery["state"] = "failed"
        else:
            due = time.time() + self.sender.schedule[attempts - 1] / self._time_scale
        self._store.put(self.kind, delivery["id"], delivery, due=due)
        if delivery["forgery"]:
            return
        self.sender.attempted(delivery)
        if accepted:
            self._release_overtaken(delivery)

    def _release_overtaken(self, delivery: Json) -> None:
        """A notice held back goes out once a later one of its payment has arrived."""
        newest_first = self.of_payment(delivery["payment_id"])
        position = [other["id"] for other in newest_first].index(delivery["id"])
        for held in newest_first[position + 1 :]:
            if held["overtaken"] and held["state"] == "pending" and held["attempts"] == 0:
                self._store.put(self.kind, held["id"], held, due=time.time())
                self._wake.set()


def _notice(delivery: Json) -> Notice:
    return Notice(
        event_id=delivery["event_id"],
        type=delivery["type"],
        payment_id=delivery["payment_id"],
        url=delivery["url"],
        message=delivery["body"],
        context=delivery["context"],
    )
