"""When a payment or refund is read again at the provider: webhooks are the fast way, and this is the one that comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from psp.pace import AT_WILL, Pace

from payments.intents.status import UNSENT, Step

# Longer than a call to a provider and the look-up after it can take: until then its own request is still busy with it.
IN_FLIGHT: Final = timedelta(seconds=30)
# Held by whoever took it for reading; another takes over when they die.
LEASE: Final = timedelta(seconds=60)

_UNKNOWN: Final = (2.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
_WAITING: Final = (20.0, 60.0, 300.0, 1800.0, 3600.0)
# A bank transfer may arrive days after the payment was given up, and its webhook may be lost.
_LATE: Final = (600.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 72 * 3600.0)
_REFUND: Final = (2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0)


def next_reading(
    step: Step, attempts: int, now: datetime, expires_at: datetime, pace: Pace = AT_WILL
) -> datetime | None:
    """attempts: readings in this step so far. pace: what the provider asks for; only the reading at the expiry may come
    sooner after another one. None: nothing more is expected of the provider."""
    least = pace.interval if attempts else pace.first
    if step in UNSENT:
        return now + max(_delay(_UNKNOWN, attempts), least)
    if step is Step.PENDING:
        at = now + max(_delay(_WAITING, attempts), least)
        if expires_at <= now:
            return at
        return min(at, expires_at if attempts else max(expires_at, now + least))
    if step is Step.FAILED and attempts < len(_LATE):
        return now + max(_delay(_LATE, attempts), least)
    return None


def next_refund_reading(attempts: int, now: datetime, pace: Pace = AT_WILL) -> datetime:
    return now + max(_delay(_REFUND, attempts), pace.interval)


def _delay(schedule: Sequence[float], attempts: int) -> timedelta:
    return timedelta(seconds=schedule[min(attempts, len(schedule) - 1)])
