"""A change of one payment under its row lock: its steps, its events and its timeline, written together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chassis.database import UnitOfWork
from chassis.telemetry.logs import get_logger
from contracts.events import DomainEvent
from kernel import new_id
from psp.pace import Pace

from payments import metrics
from payments.intents import events, repository, schedule, status
from payments.intents.models import Payment, TimelineEntry
from payments.intents.status import Step

log = get_logger(__name__)

Detail = dict[str, Any]


class Cause(StrEnum):
    """What led to a change."""

    REQUEST = "request"
    RETRY = "retry"
    WEBHOOK = "webhook"
    POLL = "poll"
    EXPIRY = "expiry"
    CANCEL = "cancel"
    REFUND = "refund"
    MANUAL = "manual"
    RECONCILIATION = "reconciliation"


class Change:
    """Build it on a locked payment, call `save` once. Each move raises the version by one and has its own event.

    pace: how often the payment's provider wants to be asked.
    """

    def __init__(self, payment: Payment, cause: Cause, now: datetime, pace: Pace) -> None:
        self.payment = payment
        self.cause = cause
        self.now = now
        self.pace = pace
        self._before = payment
        self._events: list[DomainEvent] = []
        self._timeline: list[TimelineEntry] = []
        self._attempts = payment.poll_attempts

    @property
    def moved(self) -> bool:
        return self.payment.version != self._before.version

    def move(self, to: Step, *, detail: Detail | None = None, **fields: Any) -> None:
        """Raises IllegalMove. fields: further columns that change with the step."""
        before = self.payment
        status.check(before.step, to)
        late = before.late or status.is_late(before.step, to)
        stamps = _stamps(to, self.now)
        self.payment = replace(
            before, **{"status": to.value, "late": late, "version": before.version + 1, **stamps, **fields}
        )
        self._attempts = 0
        self._timeline.append(self._entry("transition", detail, before.status, to.value))
        self._events += _announcement(self.payment)
        metrics.moves.labels(before.provider, to.value, self.cause.value).inc()
        if status.is_late(before.step, to):
            metrics.late.labels(before.provider).inc()
            log.warning("payment.late_success", payment_id=str(before.id), provider=before.provider)

    def amend(self, **fields: Any) -> None:
        """Columns that change without a step, seen from outside: a new version."""
        self.payment = replace(self.payment, **{"version": self.payment.version + 1, **fields})

    def note(self, kind: str, detail: Detail | None = None) -> None:
        """A line in the timeline."""
        self._timeline.append(self._entry(kind, detail, None, None))

    def publish(self, event: DomainEvent) -> None:
        self._events.append(event)

    def dispute(self, differences: str) -> None:
        """Flag money at the provider that is not what was asked for. The step stays as it is."""
        if self.payment.dispute == differences:
            return
        first = self.payment.disputed_at or self.now
        self.amend(disputed_at=first, dispute=differences)
        self.note("dispute", {"differences": differences})
        metrics.disputed.labels(self.payment.provider).inc()
        log.error("payment.disputed", payment_id=str(self.payment.id), differences=differences)

    def restart_schedule(self) -> None:
        self._attempts = 0

    async def save(self, unit: UnitOfWork) -> Payment:
        """Write everything, and when to read the payment again."""
        now = self.now
        due = schedule.next_reading(self.payment.step, self._attempts, now, self.payment.expires_at, self.pace)
        self.payment = replace(self.payment, next_poll_at=due, poll_attempts=self._attempts)
        if self.moved:
            self.payment = replace(self.payment, updated_at=now)
        await repository.save(unit.session, self._before, self.payment)
        await repository.append_timeline(unit.session, self.payment.id, self._timeline)
        unit.publish(*self._events)
        return self.payment

    def _entry(self, kind: str, detail: Detail | None, before: str | None, after: str | None) -> TimelineEntry:
        return TimelineEntry(new_id(), self.now, kind, self.cause.value, before, after, detail or {})


def _stamps(to: Step, now: datetime) -> Detail:
    match to:
        case Step.CONFIRMED:
            return {"confirmed_at": now, "failure_reason": None, "disputed_at": None, "dispute": None}
        case Step.FAILED:
            return {"failed_at": now}
        case Step.PARTIALLY_REFUNDED | Step.REFUNDED:
            return {"refunded_at": now}
        case _:
            return {}


def _announcement(after: Payment) -> list[DomainEvent]:
    """Refunds announce themselves, since their event names the refund."""
    match after.step:
        case Step.PENDING:
            return [events.created(after)]
        case Step.CONFIRMED:
            return [events.confirmed(after)]
        case Step.FAILED:
            return [events.failed(after)]
        case _:
            return []
