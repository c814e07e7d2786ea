"""When to try again and when to give up: pure, so that a table of cases can say whether it is right.

SMS and e-mail providers know no idempotency key. So a try without an answer is repeated once and no more: better one
message too many, marked as such, than a flood or none. A try that certainly did not send (no connection, throttled,
refused credentials) says nothing about the message and is repeated for a day. What expires is urgent: it is repeated
sooner, and never once it has expired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from notifications.channels.port import Accepted, Failed, Gone, NotTaken, Outcome, Refused, Unanswered

TRIES: Final = 3
UNANSWERED_TRIES: Final = 2
GIVE_UP_AFTER: Final = timedelta(hours=24)
_SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Pace:
    """after_failure: before the second and the third try. longest: between tries of what is not taken."""

    after_failure: tuple[timedelta, timedelta]
    after_silence: timedelta
    longest: timedelta


_ORDINARY: Final = _Pace((timedelta(seconds=5), timedelta(seconds=30)), timedelta(seconds=30), timedelta(seconds=60))
# Someone is looking at their phone.
_URGENT: Final = _Pace((timedelta(seconds=1), timedelta(seconds=5)), timedelta(seconds=5), timedelta(seconds=5))


@dataclass(frozen=True, slots=True)
class Sent:
    message_id: str


@dataclass(frozen=True, slots=True)
class Again:
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenUp:
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """attempts and unanswered: the counts including this try. answer: of what was asked, None where nothing was."""

    next: Sent | Again | GivenUp
    attempts: int
    unanswered: int
    answer: str | None


def judge(
    outcome: Outcome,
    *,
    attempts: int,
    unanswered: int,
    created_at: datetime,
    now: datetime,
    expires_at: datetime | None = None,
) -> Verdict:
    """attempts and unanswered: of the tries before this one."""
    pace = _ORDINARY if expires_at is None else _URGENT
    verdict = _judge(outcome, pace, attempts=attempts, unanswered=unanswered, age=now - created_at, now=now)
    if expires_at is not None and isinstance(verdict.next, Again) and verdict.next.at >= expires_at:
        return replace(verdict, next=GivenUp("expired"))
    return verdict


def _judge(outcome: Outcome, pace: _Pace, *, attempts: int, unanswered: int, age: timedelta, now: datetime) -> Verdict:
    match outcome:
        case Accepted():
            return Verdict(Sent(outcome.message_id), attempts + 1, unanswered, outcome.answer)
        case Refused():
            return Verdict(GivenUp("refused"), attempts + 1, unanswered, outcome.answer)
        case Gone():
            return Verdict(GivenUp("unregistered"), attempts + 1, unanswered, outcome.answer)
        case Failed():
            tries = attempts + 1
            step = GivenUp("provider_failed") if tries >= TRIES else Again(now + pace.after_failure[tries - 1])
            return Verdict(step, tries, unanswered, outcome.answer)
        case Unanswered():
            silent = unanswered + 1
            step = GivenUp("no_answer") if silent >= UNANSWERED_TRIES else Again(now + pace.after_silence)
            return Verdict(step, attempts, silent, outcome.answer)
        case NotTaken():
            if age >= GIVE_UP_AFTER:
                return Verdict(GivenUp("provider_unavailable"), attempts, unanswered, outcome.answer)
            wait = max(_SHORTEST, min(age / 2, pace.longest), timedelta(seconds=outcome.retry_after or 0))
            return Verdict(Again(now + wait), attempts, unanswered, outcome.answer)
    assert_never(outcome)
