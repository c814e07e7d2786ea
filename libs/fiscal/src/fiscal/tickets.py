"""Tickets and tokens that an authority gives for some hours, kept where every process of ours finds them.

An authority may give one at a time and refuse another while it is good (Argentina's does), so a ticket that is lost
with a process would stop documents for hours. They are secrets: whoever keeps them encrypts them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Ticket:
    """content: the country's own form of it."""

    content: bytes = field(repr=False)
    expires_at: datetime


class TicketStore(Protocol):
    """Of a business and by name: which service of which authority, for which certificate. A name holds no secret."""

    async def find(self, business_id: UUID, name: str) -> Ticket | None:
        """It may have expired."""
        ...

    async def claim(self, business_id: UUID, name: str, seconds: float) -> bool:
        """Whether it is ours to ask for a new one, for so long; else somebody else is at it."""
        ...

    async def keep(self, business_id: UUID, name: str, ticket: Ticket | None) -> None:
        """The new one, which ends the claim. None: there is none, and whoever comes may ask."""
        ...


class MemoryTickets(TicketStore):
    """For one process that keeps nothing: tests, measurements."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._tickets: dict[tuple[UUID, str], Ticket | None] = {}
        self._claims: dict[tuple[UUID, str], float] = {}

    async def find(self, business_id: UUID, name: str) -> Ticket | None:
        return self._tickets.get((business_id, name))

    async def claim(self, business_id: UUID, name: str, seconds: float) -> bool:
        now = self._now().timestamp()
        if self._claims.get((business_id, name), 0) > now:
            return False
        self._claims[business_id, name] = now + seconds
        return True

    async def keep(self, business_id: UUID, name: str, ticket: Ticket | None) -> None:
        self._tickets[business_id, name] = ticket
        self._claims.pop((business_id, name), None)
