"""Sends what is due in one lane: taken under a lease, sent outside any transaction, recorded with its event.

Lanes share nothing but the connections to providers and to the database: each has claims, workers and a bound of its
own, so that fifty thousand reports take no place from the confirmation of a payment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import NoneType
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from chassis.runtime.claims import ClaimLoop
from chassis.runtime.jobs import Job
from chassis.telemetry.logs import get_logger
from kernel import Clock, new_id
from prometheus_client import Counter, Histogram

from notifications.channels.port import (
    Accepted,
    Channel,
    Failed,
    Gone,
    Message,
    MessageChannel,
    NotTaken,
    Outcome,
    Refused,
    Unanswered,
)
from notifications.delivery.contents import Contents
from notifications.delivery.failover import candidates
from notifications.delivery.policy import UNANSWERED_TRIES, Again, GivenUp, Sent, Verdict, judge
from notifications.devices.repository import drop_token
from notifications.messages import events, repository
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus, StepKind
from notifications.preferences.quiet import QuietHours

log = get_logger(__name__)

_OUTCOMES = Counter("cobro_notifications_total", "Tries to send a message by outcome", ["channel", "outcome"])
_DEAD = Counter("cobro_notifications_dead_total", "Messages given up, by why", ["channel", "lane", "reason"])
_HANDED_OVER = Counter(
    "cobro_notifications_handed_over_total", "Messages that went to another than the first provider", ["provider"]
)
_DELAY = Histogram(
    "cobro_notification_delay_seconds",
    "From writing a message to its provider having it, by lane",
    ["lane"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43200),
)

# Longer than auth (3 s) and both providers of a channel (settings.provider_timeout is at most 17 s) may take together.
LEASE: Final = timedelta(seconds=40)

_OUTCOME_NAMES: Final[Mapping[type[object], str]] = {
    Accepted: "ACCEPTED",
    Refused: "REFUSED",
    Gone: "GONE",
    Failed: "FAILED",
    NotTaken: "NOT_TAKEN",
    Unanswered: "UNANSWERED",
    NoneType: "GIVEN_UP",
}


class Sender:
    """One lane, with as many messages in hand at once as the lane allows. Several processes may run one each."""

    def __init__(
        self,
        lane: str,
        *,
        at_once: int,
        database: Database,
        clock: Clock,
        contents: Contents,
        channels: Mapping[Channel, Sequence[MessageChannel]],
        device_index: Callable[[str], bytes],
    ) -> None:
        """channels: the providers of each, in the order in which they are asked."""
        self._lane = lane
        self._database = database
        self._clock = clock
        self._contents = contents
        self._channels = channels
        self._device_index = device_index
        self._loop = ClaimLoop(self._take, self._try, at_once=at_once)

    def wake(self) -> None:
        """A message was written in this process: do not wait for the next look."""
        self._loop.wake()

    def job(self) -> Job:
        return self._loop.job(f"send-{self._lane.lower()}")

    async def send_due(self) -> int:
        """Try a handful of due messages; returns how many."""
        return await self._loop.once()

    async def _take(self, worker: UUID, limit: int) -> Sequence[Notification]:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            return await repository.take_due(
                unit.session, lane=self._lane, now=now, until=now + LEASE, worker=worker, limit=limit
            )

    async def _try(self, notification: Notification, worker: UUID) -> None:
        if notification.unanswered >= UNANSWERED_TRIES:
            # Its senders died in the middle of it: that is as much as trying blindly may do.
            await self._give_up(notification, worker, GivenUp("no_answer"), "sender died")
            return
        if await self._hushed(notification, worker):
            return
        message = await self._contents.message(notification)
        if isinstance(message, GivenUp):
            await self._give_up(notification, worker, message, None)
            return
        asked = await self._send(notification, message, worker)
        if asked is None:
            await self._give_up(notification, worker, GivenUp("no_provider"), None)
            return
        provider, outcome = asked
        verdict = judge(
            outcome,
            attempts=notification.attempts,
            unanswered=notification.unanswered,
            created_at=notification.redriven_at or notification.created_at,
            now=self._clock.now(),
            expires_at=notification.expires_at,
        )
        await self._record(notification, worker, provider, verdict, outcome)
        _OUTCOMES.labels(notification.channel, type(outcome).__name__.lower()).inc()
        if isinstance(outcome, Gone) and isinstance(message, Message):
            await self._drop_device(message.recipient, seen_before=notification.created_at)

    async def _hushed(self, notification: Notification, worker: UUID) -> bool:
        """Put a message off to the end of its reader's quiet hours; that is no try."""
        if notification.quiet_hours is None:
            return False
        over = QuietHours.parse(notification.quiet_hours).over_at(self._clock.now())
        if over is None:
            return False
        async with self._database.transaction() as unit:
            await repository.record(unit.session, notification.id, worker, {"next_attempt_at": over})
        return True

    async def _send(
        self, notification: Notification, message: Message | NotTaken, worker: UUID
    ) -> tuple[str | None, Outcome] | None:
        """The provider that was asked last, or the one of an earlier try, and what came of it; None where there is
        nobody to ask."""
        if isinstance(message, NotTaken):
            return notification.provider, message
        providers = self._channels.get(Channel(notification.channel), ())
        result: tuple[str, Outcome] | None = None
        for provider in candidates(
            providers,
            asked=notification.provider,
            attempts=notification.attempts,
            unanswered=notification.unanswered,
        ):
            if result is not None:
                # Written down first: should this process die now, the next one must know who may have sent it.
                async with self._database.transaction() as unit:
                    if not await repository.bind(unit.session, notification.id, worker, provider.provider):
                        break
                _HANDED_OVER.labels(provider.provider).inc()
            result = provider.provider, await provider.send(message)
            if not isinstance(result[1], NotTaken):
                break
        return result

    async def _drop_device(self, token: str, *, seen_before: datetime) -> None:
        async with self._database.transaction() as unit:
            await drop_token(unit.session, self._device_index(token), seen_before=seen_before)

    async def _give_up(self, notification: Notification, worker: UUID, step: GivenUp, answer: str | None) -> None:
        verdict = Verdict(step, notification.attempts, notification.unanswered, answer)
        await self._record(notification, worker, notification.provider, verdict)

    async def _record(
        self,
        notification: Notification,
        worker: UUID,
        provider: str | None,
        verdict: Verdict,
        outcome: Outcome | None = None,
    ) -> None:
        now = self._clock.now()
        values: dict[str, Any] = {
            "attempts": verdict.attempts,
            "unanswered": verdict.unanswered,
            "provider": provider,
            "provider_answer": verdict.answer,
        }
        match verdict.next:
            case Sent(message_id):
                values |= {
                    "status": NotificationStatus.SENT.value,
                    "sent_at": now,
                    "provider_message_id": message_id or None,
                    "failure_reason": None,
                }
            case Again(at):
                values |= {"next_attempt_at": at}
            case GivenUp(reason):
                values |= {"status": NotificationStatus.FAILED.value, "failed_at": now, "failure_reason": reason}
        async with self._database.transaction() as unit:
            recorded = await repository.record(unit.session, notification.id, worker, values)
            if recorded is None:
                log.warning("notification.lease_lost", notification_id=str(notification.id))
                return
            # While a provider is away for a day, the same answer every minute is said once.
            if not (isinstance(outcome, NotTaken) and verdict.answer == notification.provider_answer):
                step = {
                    "id": new_id(),
                    "notification_id": recorded.id,
                    "business_id": recorded.business_id,
                    "kind": StepKind.TRY.value,
                    "provider": provider,
                    "outcome": _OUTCOME_NAMES[type(outcome)],
                    "answer": verdict.answer,
                    "at": now,
                }
                await repository.add_step(unit.session, step)
            if isinstance(verdict.next, Sent):
                unit.publish(events.sent(recorded))
            elif isinstance(verdict.next, GivenUp):
                unit.publish(events.failed(recorded))
        if isinstance(verdict.next, Sent):
            _DELAY.labels(self._lane).observe(max((now - notification.created_at).total_seconds(), 0))
        elif isinstance(verdict.next, GivenUp):
            _DEAD.labels(notification.channel, self._lane, verdict.next.reason).inc()
        level = log.info if isinstance(verdict.next, Sent) else log.warning
        level(
            "notification.tried",
            notification_id=str(notification.id),
            channel=notification.channel,
            template=notification.template,
            answer=verdict.answer,
            next=type(verdict.next).__name__.lower(),
        )
