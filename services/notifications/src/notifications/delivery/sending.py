"""Sends what is due in one lane: taken under a lease, sent outside any transaction, recorded with its event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from chassis.runtime.claims import ClaimLoop
from chassis.runtime.jobs import Job
from chassis.telemetry.logs import get_logger
from kernel import Clock
from prometheus_client import Counter

from notifications.channels.port import Channel, Message, MessageChannel, NotTaken, Outcome
from notifications.delivery.contents import Contents
from notifications.delivery.policy import UNANSWERED_TRIES, Again, GivenUp, Sent, Verdict, judge
from notifications.messages import events, repository
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus

log = get_logger(__name__)

_OUTCOMES = Counter("cobro_notifications_total", "Tries to send a message by outcome", ["channel", "outcome"])

# Longer than auth (3 s) and any provider (settings.provider_timeout is at most 25 s) may take together.
LEASE: Final = timedelta(seconds=40)


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
        channels: Mapping[Channel, MessageChannel],
    ) -> None:
        self._lane = lane
        self._database = database
        self._clock = clock
        self._contents = contents
        self._channels = channels
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
        channel = self._channels[Channel(notification.channel)]
        if notification.unanswered >= UNANSWERED_TRIES:
            # Its senders died in the middle of it: that is as much as trying blindly may do.
            await self._give_up(notification, worker, GivenUp("no_answer"), "sender died")
            return
        message = await self._contents.message(notification)
        if isinstance(message, GivenUp):
            await self._give_up(notification, worker, message, None)
            return
        provider, outcome = await self._send(channel, notification, message)
        verdict = judge(
            outcome,
            attempts=notification.attempts,
            unanswered=notification.unanswered,
            created_at=notification.created_at,
            now=self._clock.now(),
            expires_at=notification.expires_at,
        )
        await self._record(notification, worker, provider, verdict)
        _OUTCOMES.labels(notification.channel, type(outcome).__name__.lower()).inc()

    async def _send(
        self, channel: MessageChannel, notification: Notification, message: Message | NotTaken
    ) -> tuple[str | None, Outcome]:
        """The provider that was asked, or the one of an earlier try, and what came of it."""
        if isinstance(message, NotTaken):
            return notification.provider, message
        return channel.provider, await channel.send(message)

    async def _give_up(self, notification: Notification, worker: UUID, step: GivenUp, answer: str | None) -> None:
        verdict = Verdict(step, notification.attempts, notification.unanswered, answer)
        await self._record(notification, worker, notification.provider, verdict)

    async def _record(self, notification: Notification, worker: UUID, provider: str | None, verdict: Verdict) -> None:
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
            if isinstance(verdict.next, Sent):
                unit.publish(events.sent(recorded))
            elif isinstance(verdict.next, GivenUp):
                unit.publish(events.failed(recorded))
        level = log.info if isinstance(verdict.next, Sent) else log.warning
        level(
            "notification.tried",
            notification_id=str(notification.id),
            channel=notification.channel,
            template=notification.template,
            answer=verdict.answer,
            next=type(verdict.next).__name__.lower(),
        )
