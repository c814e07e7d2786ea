"""Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): one time per subject, no window edges.

Each request moves the subject's theoretical arrival time (TAT) on by `interval`; it passes while the TAT stays within
`interval × burst` of now. A request that counts under several limits passes all of them or is charged to none.
`limit.lua` is the same arithmetic in Redis.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_FORM = re.compile(r"(\d{1,9})/(\d{1,5}):(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` requests in `period` seconds, of which `burst` may come at once."""

    rate: int
    period: int
    burst: int

    def __post_init__(self) -> None:
        if min(self.rate, self.period, self.burst) < 1:
            raise ValueError("rate, period and burst must be positive")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `rate/period:burst`, such as "600/60:100". Raises ValueError."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError('must read rate/period:burst, such as "600/60:100"')
        return cls(*map(int, found.groups()))

    @property
    def interval(self) -> float:
        """Microseconds between two requests at the steady rate."""
        return self.period * 1_000_000 / self.rate

    @property
    def tolerance(self) -> float:
        """Microseconds that the arrival time may run ahead of now."""
        return self.interval * self.burst


@dataclass(frozen=True, slots=True)
class Decision:
    """remaining: requests that may follow at once. retry_after, reset: seconds until one more, until all may."""

    allowed: bool
    remaining: int
    retry_after: int
    reset: int

    @classmethod
    def of_microseconds(cls, remaining: int, retry_after: float, reset: float) -> Self:
        return cls(not retry_after, remaining, math.ceil(retry_after / 1_000_000), math.ceil(reset / 1_000_000))


def take(limit: Limit, tat: float, now: float, *, charge: bool = True) -> tuple[Decision, float]:
    """One request at `now`, with the subject's arrival time `tat` (0 for a new one), both in microseconds.

    charge=False: only look, because another limit refuses the request.
    """
    tat = max(tat, now)
    room = now + limit.tolerance - (tat + limit.interval)  # in this order a single request's rounding cancels out
    if room < 0:
        return Decision.of_microseconds(0, -room, tat - now), tat
    remaining = int(room // limit.interval)
    if not charge:
        return Decision.of_microseconds(remaining + 1, 0, tat - now), tat
    return Decision.of_microseconds(remaining, 0, tat + limit.interval - now), tat + limit.interval


class LocalLimits:
    """The limits of this process alone, for when Redis cannot be asked. Remembers the most recent subjects."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def take(self, charges: Sequence[tuple[str, Limit]], now: float) -> list[Decision]:
        """All limits, by key, let the request pass, or none is charged. now: any steady clock, in microseconds."""
        tats = [self._arrivals.pop(key, 0.0) for key, _ in charges]
        passes = all(take(limit, tat, now)[0].allowed for (_, limit), tat in zip(charges, tats, strict=True))
        decisions = []
        for (key, limit), tat in zip(charges, tats, strict=True):
            decision, self._arrivals[key] = take(limit, tat, now, charge=passes)
            decisions.append(decision)
        while len(self._arrivals) > self._capacity:
            self._arrivals.popitem(last=False)
        return decisions
