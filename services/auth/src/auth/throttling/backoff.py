"""How long to wait after failures. Pure arithmetic; `charge.lua` and `settle.lua` are the same in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_FIRST_WAIT: Final = 1000
# Beyond this many doublings every limit is reached.
_MAX_DOUBLINGS: Final = 40


@dataclass(frozen=True, slots=True)
class Backoff:
    """The first `free` attempts may follow each other at once; then the wait doubles, from a second up to `longest`.

    `window` after the last failure, or after the wait that it brought, all are forgotten. Both in milliseconds.
    """

    free: int
    longest: int
    window: int = 900_000

    def wait_after(self, failures: int) -> int:
        """Milliseconds."""
        if failures < self.free:
            return 0
        return min(self.longest, _FIRST_WAIT << min(failures - self.free, _MAX_DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Tally:
    """Failures so far, and when the next attempt may be made, in Unix milliseconds."""

    failures: int = 0
    open_at: int = 0

    def wait(self, backoff: Backoff, now: int) -> int:
        """Milliseconds. None while failures are free, even if another process's clock is a little ahead."""
        return max(0, self.open_at - now) if self.failures >= backoff.free else 0

    def charged(self, backoff: Backoff, now: int) -> Tally:
        """With one more failure. Whether the wait is over, and the window not, is the caller's to know."""
        failures = self.failures + 1
        return Tally(failures, now + backoff.wait_after(failures))

    def returned(self, now: int) -> Tally:
        """With one failure less, which turned out to be none, and without the wait it brought."""
        return Tally(max(0, self.failures - 1), min(self.open_at, now))


class LocalTallies:
    """The tallies of this process alone, for when Redis cannot be asked. Remembers the most recent."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._tallies: _Recent[Tally] = _Recent(capacity)
        self._familiar: _Recent[bool] = _Recent(capacity)

    def charge(self, familiar: str, charges: Sequence[tuple[str, Backoff]], now: int) -> tuple[int, int]:
        """As charge.lua: milliseconds to wait, or 0 and how many were charged."""
        if self._familiar.get(familiar):
            charges = charges[:1]
        wait = max(self._current(key, backoff, now).wait(backoff, now) for key, backoff in charges)
        if wait > 0:
            return wait, 0
        self.note(charges, now)
        return 0, len(charges)

    def note(self, charges: Sequence[tuple[str, Backoff]], now: int) -> None:
        """One more failure under each, whatever they say."""
        for key, backoff in charges:
            self._tallies.keep(key, self._current(key, backoff, now).charged(backoff, now))

    def settle(self, familiar: str | None, clear: Sequence[str], give_back: Sequence[str], now: int) -> None:
        """As settle.lua."""
        for key in clear:
            self._tallies.forget(key)
        for key in give_back:
            if (tally := self._tallies.get(key)) is not None:
                self._tallies.keep(key, tally.returned(now))
        if familiar is not None:
            self._familiar.keep(familiar, True)

    def _current(self, key: str, backoff: Backoff, now: int) -> Tally:
        tally = self._tallies.get(key)
        return Tally() if tally is None or tally.open_at + backoff.window <= now else tally


class _Recent(Generic[T]):
    """At most `capacity` values: the ones written last."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        return self._values.get(key)

    def keep(self, key: str, value: T) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def forget(self, key: str) -> None:
        self._values.pop(key, None)
