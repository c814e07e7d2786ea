"""kill -9 of payments, and of webhooks, at every named point of what they do with money.

All points of a service are reached at the same time, each by a payment of its own, and then its process is killed once.
What was held in the database is taken back or let through, which is to die just before or just after a commit; what was
held at the provider or at the merchant is a call under way. Everybody else does what they always do: tills, providers
and merchants repeat what was not answered. Each payment must then come to the same end as if nothing had happened.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from kernel import new_id

from e2e.client import Answer
from e2e.faults.gates import Gate, Gates, gates_of
from e2e.merchant import Json, Merchant, open_shop
from e2e.polling import until
from e2e.receiver import Receiver, receiving, subscribe
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_WITHIN = 90.0
_AMOUNT, _MINOR = "150.50", 15050

_PAYMENTS, _REFUNDS = "payments.payments", "payments.refunds"
_IS_PENDING = "NEW.status = 'PENDING' AND OLD.status <> 'PENDING'"
_IS_CONFIRMED = "NEW.status = 'CONFIRMED' AND OLD.status <> 'CONFIRMED'"
_IS_SUCCEEDED = "NEW.status = 'SUCCEEDED' AND OLD.status <> 'SUCCEEDED'"

# Before the provider is asked, and after: of the creation, of the confirmation, of a refund.
_INTENT = {
    "intent.claim_not_committed": Gate(_PAYMENTS, "INSERT", commits=False),
    "intent.claimed": Gate(_PAYMENTS, "INSERT", commits=True),
    "intent.answer_not_committed": Gate(_PAYMENTS, "UPDATE", commits=False, when=_IS_PENDING),
    "intent.written_not_published": Gate(_PAYMENTS, "UPDATE", commits=True, when=_IS_PENDING),
}
_CONFIRMATION = {
    "confirmation.reading_not_committed": Gate(_PAYMENTS, "UPDATE", commits=False, when=_IS_CONFIRMED),
    "confirmation.written_not_acknowledged": Gate(_PAYMENTS, "UPDATE", commits=True, when=_IS_CONFIRMED),
}
_REFUND = {
    "refund.reservation_not_committed": Gate(_REFUNDS, "INSERT", commits=False),
    "refund.reserved": Gate(_REFUNDS, "INSERT", commits=True),
    "refund.answer_not_committed": Gate(_REFUNDS, "UPDATE", commits=False, when=_IS_SUCCEEDED),
    "refund.written_not_published": Gate(_REFUNDS, "UPDATE", commits=True, when=_IS_SUCCEEDED),
}
_PUBLISHED = "confirmation.published_not_marked"
_RELAY = {_PUBLISHED: Gate("payments.outbox", "UPDATE", commits=False, when="NEW.type = 'payment.confirmed'")}
# The provider has the call in hand: it has done nothing yet, or everything but answer.
_CREATING = {"intent.call_under_way": "timeout_before", "intent.charged_not_answered": "timeout_after_charging"}
_READING = {"confirmation.call_under_way": "timeout_before"}
_REFUNDING = {"refund.call_under_way": "timeout_before", "refund.made_not_answered": "timeout_after_charging"}
OF_PAYMENTS = (
    *(*_INTENT, *_CREATING),
    *(*_CONFIRMATION, *_READING, *_RELAY),
    *(*_REFUND, *_REFUNDING),
)

_EVENTS, _DELIVERIES = "webhooks.webhook_events", "webhooks.webhook_deliveries"
_OF_CONFIRMATION = "NEW.event_type = 'payment.confirmed'"
_INBOUND = {
    "inbound.event_not_committed": Gate(_EVENTS, "INSERT", commits=False, when="NEW.event_type = 'order.paid'"),
    "inbound.stored_not_answered": Gate(_EVENTS, "INSERT", commits=True, when="NEW.event_type = 'order.paid'"),
}
_INBOUND_PUBLISHED = "inbound.published_not_marked"
_INBOUND_ANSWERED = "inbound.answered_not_published"
_INBOUND_RELAY = {_INBOUND_PUBLISHED: Gate("webhooks.outbox", "UPDATE", commits=False)}
_OUTBOUND = {
    "outbound.plan_not_committed": Gate(_DELIVERIES, "INSERT", commits=False, when=_OF_CONFIRMATION),
    "outbound.planned_not_acknowledged": Gate(_DELIVERIES, "INSERT", commits=True, when=_OF_CONFIRMATION),
    "outbound.answer_not_committed": Gate(
        _DELIVERIES, "UPDATE", commits=False, when=f"{_OF_CONFIRMATION} AND NEW.status = 'DELIVERED'"
    ),
    "outbound.recorded": Gate(
        _DELIVERIES, "UPDATE", commits=True, when=f"{_OF_CONFIRMATION} AND NEW.status = 'DELIVERED'"
    ),
}
_TAKEN = "outbound.taken_not_posted"
# Whoever takes deliveries keeps the others from it meanwhile, so that this one is held last.
_TAKING = {_TAKEN: Gate(_DELIVERIES, "UPDATE", commits=True, when="NEW.worker IS NOT NULL AND OLD.worker IS NULL")}
_POSTED = "outbound.posted_not_answered"
OF_WEBHOOKS = (*_INBOUND, *_INBOUND_RELAY, _INBOUND_ANSWERED, *_OUTBOUND, *_TAKING, _POSTED)
# How often the merchant is told, as the same message each time: again only where nobody can know that it was.
_POSTS = {"outbound.answer_not_committed": 2, _POSTED: 2}

_TIME_PASSES = (
    "UPDATE payments.idempotency_keys SET lease_until = now() WHERE status IS NULL",
    "UPDATE payments.payments SET submitted_at = submitted_at - interval '61 seconds', next_poll_at = now()"
    " WHERE status IN ('SUBMITTING', 'UNKNOWN')",
    "UPDATE payments.refunds SET created_at = created_at - interval '61 minutes', next_poll_at = now()"
    " WHERE status IN ('SUBMITTING', 'UNKNOWN')",
    "UPDATE webhooks.webhook_deliveries SET next_attempt_at = now() WHERE worker IS NOT NULL",
)
"""For whoever waits for the dead: the leases they held, and the time until a call cannot be under way any more."""


@dataclass
class Crash:
    """stories: how each point's payment went on, to be awaited. payments: by point, as far as one is known. own: the
    merchants of points that would wait for each other at one merchant's endpoint."""

    merchant: Merchant
    receiver: Receiver
    gates: Gates
    stories: dict[str, asyncio.Task[Json]] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    own: dict[str, Merchant] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        return self.merchant.stage

    def of(self, point: str) -> Merchant:
        return self.own.get(point, self.merchant)

    async def create(self, point: str) -> Json:
        """One payment, by a till that sends again, with the same key, what was not answered."""
        body = {
            "businessId": self.of(point).business_id,
            "amount": _AMOUNT,
            "method": "QR_DYNAMIC",
            "description": point,
        }
        self.payments[point] = (await self._insist(point, "/payments/intent", body)).data(201)
        return self.payments[point]

    async def pay(self, point: str) -> None:
        await self.stage.twins.pay(self.payments[point]["id"])

    async def becomes(self, point: str, status: str) -> Json:
        async def now() -> Json:
            answer = await self._patiently(point, "GET", f"/payments/{self.payments[point]['id']}")
            found: Json = answer.data(200)
            return found

        return await until(now, lambda found: found["status"] == status, within=_WITHIN)

    async def pay_and_confirm(self, point: str) -> Json:
        await self.pay(point)
        return await self.becomes(point, "CONFIRMED")

    async def refund(self, point: str) -> Json:
        """All of it. One that the provider never got is asked for anew, as its merchant would."""
        path = f"/payments/{self.payments[point]['id']}"

        async def last() -> Json:
            found: Json = (await self._patiently(point, "GET", f"{path}/refunds")).data(200)[0]
            return found

        for _ in range(2):
            await self._insist(point, f"{path}/refund", {})
            if (await until(last, lambda one: one["status"] != "PENDING", within=_WITHIN))["status"] == "SUCCEEDED":
                break
        return await self.becomes(point, "REFUNDED")

    async def from_the_beginning(self, point: str) -> Json:
        await self.create(point)
        return await self.from_the_payment(point)

    async def from_the_payment(self, point: str) -> Json:
        await self.pay_and_confirm(point)
        return await self.refund(point)

    def begin(self, story: Callable[[str], Awaitable[Json]], *points: str) -> None:
        for point in points:
            self.stories[point] = asyncio.ensure_future(story(point))  # type: ignore[assignment]

    async def hold_at_provider(
        self, point: str, kind: str, operation: str, story: Callable[[str], Awaitable[Json]]
    ) -> None:
        """Until the twin has the call in hand."""
        of_it = {"reference": self.payments[point]["id"]} if point in self.payments else {}
        await self.stage.twins.fault(kind, operation=operation, **of_it)
        self.begin(story, point)
        await until(self.stage.twins.conekta.faults, lambda armed: not armed)

    async def kill(self, service: str, *held: str) -> None:
        """Now, while all of these are held."""
        assert [point for point in held if await self.gates.waiting(point) is None] == []
        await self.stage.do(self.stage.suite.kill, service)
        await self.gates.open()
        await self.stage.twins.clear_faults()
        self.receiver.silent_of.clear()
        for statement in _TIME_PASSES:
            await self.stage.rows(statement)
        await self.stage.do(self.stage.suite.start, service)

    async def posts_of(self, payment_id: str) -> list[tuple[str, str]]:
        """Type and id of each message about it that came to the merchant."""
        told = [(orjson.loads(post.body), post.headers["webhook-id"]) for post in self.receiver.posts]
        return [(message["type"], id) for message, id in told if message["data"]["id"] == payment_id]

    async def _insist(self, point: str, path: str, body: Json) -> Answer:
        return await self._patiently(point, "POST", path, body=body, headers={"Idempotency-Key": str(new_id())})

    async def _patiently(self, point: str, method: str, path: str, **how: Any) -> Answer:
        async def ask() -> Answer | None:
            try:
                return await self.of(point).client.call(method, path, **how)
            except (aiohttp.ClientError, TimeoutError):
                return None

        def answered(answer: Answer | None) -> bool:
            return answer is not None and answer.status < 500 and answer.status not in (409, 429)

        answer = await until(ask, answered, within=_WITHIN)
        assert answer is not None
        return answer


@asynccontextmanager
async def crash(stage: Stage, *gates: dict[str, Gate], events: tuple[str, ...]) -> AsyncIterator[Crash]:
    merchant = await open_shop(stage)
    every = {point: gate for group in gates for point, gate in group.items()}
    async with receiving() as receiver, gates_of(stage, every) as installed:
        await subscribe(merchant, receiver, *events)
        made = Crash(merchant, receiver, installed)
        try:
            yield made
        finally:
            for story in made.stories.values():
                story.cancel()
            await asyncio.gather(*made.stories.values(), return_exceptions=True)


@pytest.fixture(scope="module")
async def of_payments(stage: Stage) -> AsyncIterator[Crash]:
    told = ("payment.created", "payment.confirmed", "payment.refunded")
    async with crash(stage, _INTENT, _CONFIRMATION, _REFUND, _RELAY, events=told) as made:
        sold = (*_REFUND, *_REFUNDING)
        await asyncio.gather(*(made.create(point) for point in (*_CONFIRMATION, *_READING, *_RELAY, *sold)))
        await asyncio.gather(*(made.pay_and_confirm(point) for point in sold))

        for point in (*_CONFIRMATION, *_RELAY, *_REFUND):
            await made.gates.shut(point, made.payments[point]["id"])
        for point in _INTENT:
            await made.gates.shut(point, point)
        made.begin(made.from_the_payment, _PUBLISHED)
        await made.gates.reached(_PUBLISHED)
        made.begin(made.from_the_beginning, *_INTENT)
        made.begin(made.from_the_payment, *_CONFIRMATION)
        made.begin(made.refund, *_REFUND)
        await made.gates.reached(*_INTENT, *_CONFIRMATION, *_REFUND)
        # The provider is waited for the shortest, so that what it holds comes last, one call after the other.
        for point, kind in _CREATING.items():
            await made.hold_at_provider(point, kind, "orders.create", made.from_the_beginning)
        for point, kind in _READING.items():
            await made.hold_at_provider(point, kind, "orders.get", made.from_the_payment)
        for point, kind in _REFUNDING.items():
            await made.hold_at_provider(point, kind, "orders.refund", made.refund)
        await made.kill("payments", *_INTENT, *_CONFIRMATION, *_REFUND, _PUBLISHED)
        yield made


@pytest.mark.parametrize("point", OF_PAYMENTS)
async def test_payments_dies_and_the_money_moves_once(stage: Stage, of_payments: Crash, point: str) -> None:
    await of_payments.stories[point]
    # Whatever a lost answer may have left behind: there is one payment.
    [row] = await stage.rows(
        "SELECT id::text, status, refunded, refund_reserved FROM payments.payments WHERE description = $1", point
    )
    id = of_payments.payments[point]["id"]
    assert (row["id"], row["status"], str(row["refunded"]), row["refund_reserved"]) == (
        *(id, "REFUNDED", _AMOUNT),
        row["refunded"],
    )
    journal = await stage.twins.journal(id)
    assert {
        name: journal[name] for name in ("payments", "charges", "charged_amount", "refunds", "refunded_amount")
    } == {
        "payments": 1,
        "charges": 1,
        "charged_amount": _MINOR,
        "refunds": 1,
        "refunded_amount": _MINOR,
    }
    given_back = await stage.rows(
        "SELECT amount FROM payments.refunds WHERE payment_id = $1::uuid AND status <> 'FAILED'", id
    )
    assert [str(refund["amount"]) for refund in given_back] == [_AMOUNT]
    steps = await stage.rows(
        "SELECT to_status FROM payments.payment_events"
        " WHERE payment_id = $1::uuid AND to_status IS NOT NULL ORDER BY id",
        id,
    )
    assert [step["to_status"] for step in steps if step["to_status"] not in ("UNKNOWN", "SUBMITTING")] == [
        "PENDING",
        "CONFIRMED",
        "REFUNDED",
    ]
    published = await stage.rows("SELECT type FROM payments.outbox WHERE aggregate_id = $1::uuid ORDER BY id", id)
    told = ["payment.created", "payment.confirmed", "payment.refunded"]
    assert [event["type"] for event in published] == told

    posts = await until(lambda: of_payments.posts_of(id), lambda found: len(set(found)) >= len(told), within=_WITHIN)
    assert Counter(kind for kind, _ in set(posts)) == Counter(told)


@pytest.fixture(scope="module")
async def of_webhooks(stage: Stage) -> AsyncIterator[Crash]:
    async with crash(stage, _INBOUND, _INBOUND_RELAY, _OUTBOUND, _TAKING, events=("payment.confirmed",)) as made:
        apart = (*_OUTBOUND, *_TAKING, _POSTED)
        shops = await asyncio.gather(*(open_shop(stage) for _ in apart))
        await asyncio.gather(*(subscribe(shop, made.receiver, "payment.confirmed") for shop in shops))
        made.own |= dict(zip(apart, shops, strict=True))
        await asyncio.gather(*(made.create(point) for point in OF_WEBHOOKS))
        for point in (*_INBOUND, *_INBOUND_RELAY, *_OUTBOUND, *_TAKING):
            await made.gates.shut(point, made.payments[point]["id"])
        silent = made.payments[_POSTED]["id"]
        made.receiver.silent_of.add(silent)
        made.begin(made.pay_and_confirm, *_OUTBOUND, _POSTED)
        await made.gates.reached(*_OUTBOUND)
        await until(lambda: made.posts_of(silent))
        made.begin(made.pay_and_confirm, *_TAKING)
        await made.gates.reached(*_TAKING)
        made.begin(made.pay_and_confirm, *_INBOUND_RELAY)
        await made.gates.reached(*_INBOUND_RELAY)
        made.begin(made.pay_and_confirm, *_INBOUND, _INBOUND_ANSWERED)
        await made.gates.reached(*_INBOUND)
        await until(lambda: answered(stage, made.payments[_INBOUND_ANSWERED]))
        await made.kill("webhooks", *_INBOUND, *_INBOUND_RELAY, *_OUTBOUND, *_TAKING)
        yield made


async def answered(stage: Stage, payment: Json) -> bool:
    deliveries = await stage.twins.deliveries(payment["id"])
    return any(one["type"] == "order.paid" and one["state"] == "delivered" for one in deliveries)


@pytest.mark.parametrize("point", OF_WEBHOOKS)
async def test_webhooks_dies_and_everybody_is_told_once(stage: Stage, of_webhooks: Crash, point: str) -> None:
    await of_webhooks.stories[point]
    id = of_webhooks.payments[point]["id"]
    journal = await stage.twins.journal(id)
    assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, _MINOR)
    await until(lambda: answered(stage, {"id": id}), within=_WITHIN)
    stored = await stage.rows(
        "SELECT (SELECT count(*) FROM webhooks.outbox o WHERE o.aggregate_id = e.id) AS events"
        " FROM webhooks.webhook_events e WHERE our_reference = $1 AND event_type = 'order.paid'",
        id,
    )
    assert [row["events"] for row in stored] == [1]
    published = await stage.rows("SELECT type FROM payments.outbox WHERE aggregate_id = $1::uuid ORDER BY id", id)
    assert [event["type"] for event in published] == ["payment.created", "payment.confirmed"]

    async def delivered() -> list[dict[str, Any]]:
        return await stage.rows("SELECT status FROM webhooks.webhook_deliveries WHERE subject_id = $1::uuid", id)

    await until(delivered, lambda rows: [row["status"] for row in rows] == ["DELIVERED"], within=_WITHIN)
    posts = await of_webhooks.posts_of(id)
    assert len(set(posts)) == 1
    assert len(posts) == _POSTS.get(point, 1)
    [(_, message_id)] = set(posts)
    said = {post.body for post in of_webhooks.receiver.posts if post.headers["webhook-id"] == message_id}
    assert len(said) == 1, "the same message says something else the second time"
