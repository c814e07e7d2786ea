"""The unit of work: one transaction, its events in the outbox, the incoming event it answers in the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from contracts.events import DomainEvent
from kernel import Clock
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus.outbox import outbox_row
from chassis.database.plumbing import outbox

if TYPE_CHECKING:
    from chassis.bus.received import Received

INBOX_SQL: Final = (
    "INSERT INTO inbox (queue, event_id, received_at) SELECT :inbox_queue, :inbox_event_id, :inbox_received_at"
    " WHERE {condition} ON CONFLICT DO NOTHING RETURNING event_id"
)
"""To take note of an event within a larger statement, under a condition; its parameters are `inbox_parameters`."""

_ACCEPT: Final = text(INBOX_SQL.format(condition="true"))


def inbox_parameters(received: Received[Any], now: datetime) -> dict[str, Any]:
    return {"inbox_queue": received.queue, "inbox_event_id": received.id, "inbox_received_at": now}


class UnitOfWork:
    """What a use case writes through. Only the block that opened it commits."""

    def __init__(self, session: AsyncSession, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self._outgoing: list[dict[str, Any]] = []
        self._wrote = False

    def publish(self, *events: DomainEvent) -> list[UUID]:
        """These events leave if, and only if, this transaction commits. Returns their ids."""
        rows = [outbox_row(event, self.clock.now()) for event in events]
        self._outgoing += rows
        return [row["event_id"] for row in rows]

    async def accept(self, received: Received[DomainEvent]) -> bool:
        """Record an incoming event as handled by this queue. False: it was handled before, so do nothing."""
        received.accepted = True
        parameters = inbox_parameters(received, self.clock.now())
        return (await self.session.execute(_ACCEPT, parameters)).first() is not None

    async def finish(self) -> bool:
        """Write what is pending, in one INSERT for all events. Returns whether there have been any. Whoever opened the
        transaction calls it last; a use case with events by the thousand calls it now and then as well."""
        await self.session.flush()
        if self._outgoing:
            # Without RETURNING: who may write an event of no business may not read it.
            await self.session.execute(insert(outbox).inline(), self._outgoing)
            self._outgoing, self._wrote = [], True
        return self._wrote
