"""The unit of work: one transaction, its events in the outbox, the incoming event it answers in the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts.events import DomainEvent
from kernel import Clock
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus.outbox import outbox_row
from chassis.database.plumbing import inbox, outbox

if TYPE_CHECKING:
    from chassis.bus.received import Received


class UnitOfWork:
    """What a use case writes through. Only the block that opened it commits."""

    def __init__(self, session: AsyncSession, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self._outgoing: list[dict[str, Any]] = []

    def publish(self, *events: DomainEvent) -> list[UUID]:
        """These events leave if, and only if, this transaction commits. Returns their ids."""
        rows = [outbox_row(event, self.clock.now()) for event in events]
        self._outgoing += rows
        return [row["event_id"] for row in rows]

    async def accept(self, received: Received[DomainEvent]) -> bool:
        """Record an incoming event as handled by this queue. False: it was handled before, so do nothing."""
        statement = (
            pg_insert(inbox)
            .values(queue=received.queue, event_id=received.id, received_at=self.clock.now())
            .on_conflict_do_nothing()
            .returning(inbox.c.event_id)
        )
        received.accepted = True
        return (await self.session.execute(statement)).first() is not None

    async def finish(self) -> bool:
        """Write what is pending, in one INSERT for all events. Returns whether there were any."""
        await self.session.flush()
        if self._outgoing:
            # Without RETURNING: who may write an event of no business may not read it.
            await self.session.execute(insert(outbox).inline(), self._outgoing)
        return bool(self._outgoing)
