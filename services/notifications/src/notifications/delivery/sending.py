"""Sends what is due in one lane: taken under a lease, sent outside any transaction, recorded with its event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from chassis.crypto import FieldCipher
from chassis.database import Database
from chassis.telemetry.logs import get_logger
from contracts.events.registry import Lane
from kernel import Clock
from prometheus_client import Counter

from notifications.channels.port import Channel, Content, Message, MessageChannel
from notifications.delivery.policy import UNANSWERED_TRIES, Again, GivenUp, Sent, Verdict, judge
from notifications.messages import events, repository
from notifications.messages.models import Notification
from notifications.messages.status import NotificationStatus

log = get_logger(__name__)

_OUTCOMES = Counter("cobro_notifications_total", "Tries to send a message by outcome", ["channel", "outcome"])

# Longer than any provider may take (settings.provider_timeout is at most 25 s).
LEASE: Final = timedelta(seconds=40)
_POLL_SECONDS: Final = 2.0


class Sender:
    """One lane, with as many messages in hand at once as the lane allows. Several processes may run one each."""

    def __init__(
        self,
        lane: Lane,
        *,
        database: Database,
        clock: Clock,
        cipher: FieldCipher,
        channels: Mapping[Channel, MessageChannel],
    ) -> None:
        self.lane = lane
        self._database = database
        self._clock = clock
        self._cipher = cipher
        self._channels = channels
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A message was written in this process: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Wait until woken, at most two seconds, then send all that is due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await self._woken.wait()
        self._woken.clear()
        while await self.send_due():
            continue

    async def send_due(self) -> int:
        """Try a handful of due messages; returns how many."""
        worker, now = uuid4(), self._clock.now()
        async with self._database.transaction() as unit:
            taken = await repository.take_due(
                unit.session,
                lane=self.lane.name,
                now=now,
                until=now + LEASE,
                worker=worker,
                limit=self.lane.value,
            )
        await asyncio.gather(*(self._try(notification, worker) for notification in taken))
        return len(taken)

    async def _try(self, notification: Notification, worker: UUID) -> None:
        channel = self._channels[Channel(notification.channel)]
        if notification.unanswered >= UNANSWERED_TRIES:
            # Its senders died in the middle of it: that is as much as trying blindly may do.
            gone = Verdict(GivenUp("no_answer"), notification.attempts, notification.unanswered, "sender died")
            await self._record(notification, worker, channel.provider, gone)
            return
        outcome = await channel.send(self._open(notification))
        verdict = judge(
            outcome,
            attempts=notification.attempts,
            unanswered=notification.unanswered,
            created_at=notification.created_at,
            now=self._clock.now(),
        )
        await self._record(notification, worker, channel.provider, verdict)
        _OUTCOMES.labels(notification.channel, type(outcome).__name__.lower()).inc()

    def _open(self, notification: Notification) -> Message:
        recipient = self._cipher.decrypt(notification.recipient, context=notification.recipient_place)
        content = self._cipher.decrypt(notification.content, context=notification.content_place)
        return Message(notification.id, recipient, Content.model_validate_json(content))

    async def _record(self, notification: Notification, worker: UUID, provider: str, verdict: Verdict) -> None:
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
