"""Sends what is due in one lane: taken under a lease, sent outside any transaction, recorded with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.crypto import DecryptionFailed, FieldCipher
from chassis.database import Database, UnitOfWork
from chassis.runtime.claims import ClaimLoop
from chassis.runtime.jobs import Job
from chassis.telemetry.logs import get_logger
from kernel import Clock
from prometheus_client import Counter, Histogram

from webhooks.deliveries import claiming, events, repository
from webhooks.deliveries.claiming import Claimed, Lane
from webhooks.deliveries.egress import TIME_LIMIT, Answered, Egress
from webhooks.deliveries.models import answer_place
from webhooks.deliveries.schedule import GIVE_UP_AFTER, next_try
from webhooks.deliveries.status import DeliveryStatus, Outcome
from webhooks.endpoints import repository as endpoints
from webhooks.endpoints.models import WebhookEndpoint, previous_secret_place, secret_place
from webhooks.endpoints.signing import headers

log = get_logger(__name__)

_ATTEMPTS = Counter(
    "cobro_webhook_delivery_attempts_total", "Tries to deliver to merchants' endpoints", ["lane", "outcome"]
)
_SECONDS = Histogram(
    "cobro_webhook_delivery_seconds",
    "Time merchants' endpoints took to answer",
    ["lane"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
_DISABLED = Counter("cobro_webhook_endpoints_disabled_total", "Endpoints switched off by us", ["reason"])

# Longer than a try may take, with room for the database before and after.
LEASE: Final = timedelta(seconds=TIME_LIMIT + 25)
SLOW: Final = 5.0
"""Seconds after which an answer counts as slow: the endpoint goes to the troubled lane."""


class _LeaseLost(Exception):
    pass


class Courier:
    """One lane, with as many deliveries in hand at once as it allows. Several processes may run one each."""

    def __init__(self, lane: Lane, *, database: Database, clock: Clock, cipher: FieldCipher, egress: Egress) -> None:
        self._lane = lane
        self._database = database
        self._clock = clock
        self._cipher = cipher
        self._egress = egress
        self._loop = ClaimLoop(self._take, self._try, at_once=lane.at_once)

    def wake(self) -> None:
        """A delivery was written in this process: do not wait for the next look."""
        self._loop.wake()

    def job(self) -> Job:
        return self._loop.job(f"deliver-{self._lane.name}")

    async def deliver_due(self) -> int:
        """Try a handful of due deliveries to their end; returns how many."""
        return await self._loop.once()

    async def _take(self, worker: UUID, limit: int) -> Sequence[Claimed]:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            return await claiming.claim(
                unit.session, self._lane, worker=worker, now=now, until=now + LEASE, limit=limit
            )

    async def _try(self, claimed: Claimed, worker: UUID) -> None:
        now = self._clock.now()
        answered = await self._send(claimed, now)
        _ATTEMPTS.labels(self._lane.name, answered.outcome.value).inc()
        _SECONDS.labels(self._lane.name).observe(answered.seconds)
        try:
            await self._database.run(lambda unit: self._record(unit, claimed, worker, answered, now))
        except _LeaseLost:
            log.warning("webhook_delivery.lease_lost", delivery_id=str(claimed.id))
        finally:
            # There is room at this endpoint again, which may have more waiting than its bound.
            self.wake()

    async def _send(self, claimed: Claimed, now: datetime) -> Answered:
        body = claimed.payload.encode()
        try:
            signing = self._secrets(claimed, now)
        except DecryptionFailed:
            log.error("webhook_delivery.secret_unreadable", endpoint_id=str(claimed.endpoint_id))
            return Answered(Outcome.REFUSED, 0.0)
        return await self._egress.post(claimed.url, body, headers(str(claimed.event_id), now, body, signing))

    def _secrets(self, claimed: Claimed, now: datetime) -> list[str]:
        endpoint_id = claimed.endpoint_id
        signing = [self._cipher.decrypt(claimed.secret, context=secret_place(endpoint_id))]
        until = claimed.previous_secret_until
        if claimed.previous_secret is not None and until is not None and until > now:
            signing.append(self._cipher.decrypt(claimed.previous_secret, context=previous_secret_place(endpoint_id)))
        return signing

    async def _record(
        self, unit: UnitOfWork, claimed: Claimed, worker: UUID, answered: Answered, began: datetime
    ) -> None:
        # The endpoint first, as everywhere, so that nobody waits crosswise.
        endpoint = await endpoints.lock_any(unit.session, claimed.endpoint_id)
        now = self._clock.now()
        if answered.outcome is Outcome.DELIVERED:
            step: dict[str, Any] = {
                "status": DeliveryStatus.DELIVERED.value,
                "delivered_at": now,
                "next_attempt_at": None,
            }
            endpoint.failing_since = None
        else:
            endpoint.failing_since = endpoint.failing_since or now
            step = _after_failure(endpoint, claimed, answered, now)
        endpoint.is_troubled = answered.outcome is not Outcome.DELIVERED or answered.seconds > SLOW
        taken = await claiming.put_down(
            unit.session,
            claimed,
            worker,
            {
                **step,
                "step": claimed.step + 1,
                "last_outcome": answered.outcome.value,
                "last_status_code": answered.status_code,
                "last_attempt_at": began,
            },
        )
        if not taken:
            raise _LeaseLost
        await claiming.add_attempt(unit.session, self._attempt(claimed, answered, began))
        if endpoint.is_active and (reason := _reason_to_disable(endpoint, answered, now)):
            await _disable(unit, endpoint, reason, now)

    def _attempt(self, claimed: Claimed, answered: Answered, began: datetime) -> dict[str, Any]:
        number = claimed.tries + 1
        answer = None
        if answered.answer:
            answer = self._cipher.encrypt(answered.answer, context=answer_place(claimed.id, number))
        return {
            "delivery_id": claimed.id,
            "number": number,
            "business_id": claimed.business_id,
            "url": claimed.url,
            "outcome": answered.outcome.value,
            "status_code": answered.status_code,
            "answer": answer,
            "duration_ms": round(answered.seconds * 1000),
            "attempted_at": began,
        }


def _after_failure(endpoint: WebhookEndpoint, claimed: Claimed, answered: Answered, now: datetime) -> dict[str, Any]:
    at = next_try(claimed.step + 1, now, retry_after=answered.retry_after)
    if at is None:
        return {"status": DeliveryStatus.FAILED.value, "next_attempt_at": None}
    if not endpoint.is_active or answered.outcome is Outcome.GONE:
        return {"status": DeliveryStatus.SKIPPED.value, "next_attempt_at": None}
    return {"next_attempt_at": at}


def _reason_to_disable(endpoint: WebhookEndpoint, answered: Answered, now: datetime) -> str | None:
    if answered.outcome is Outcome.GONE:
        return "gone"
    if endpoint.failing_since is not None and now - endpoint.failing_since >= GIVE_UP_AFTER:
        return "failing"
    return None


async def _disable(unit: UnitOfWork, endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    endpoint.is_active = False
    endpoint.disabled_reason = reason
    endpoint.disabled_at = endpoint.updated_at = now
    endpoint.version += 1
    await repository.skip_waiting(unit.session, [endpoint.id], now)
    unit.publish(events.disabled(endpoint, reason, now))
    _DISABLED.labels(reason).inc()
    log.warning("webhook_endpoint.disabled", endpoint_id=str(endpoint.id), reason=reason)
