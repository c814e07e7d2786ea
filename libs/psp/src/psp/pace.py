"""How soon and how often a provider wants to be asked how a payment stands, where it says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Pace:
    """first: from the creation until the first reading by schedule. interval: between any two of them, of a payment or
    of a refund. A look-up right after an unanswered call, and one that a notification asks for, wait for neither.
    """

    first: timedelta = timedelta()
    interval: timedelta = timedelta()


AT_WILL = Pace()


@runtime_checkable
class Paced(Protocol):
    @property
    def pace(self) -> Pace: ...
