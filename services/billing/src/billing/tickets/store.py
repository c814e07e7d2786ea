"""What fiscal asks of whoever keeps its tickets, by PostgreSQL. No transaction is open while an authority is asked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chassis.crypto import FieldCipher
from chassis.database import Database
from fiscal.tickets import Ticket, TicketStore
from kernel import Clock

from billing.tickets import repository
from billing.tickets.models import place


class DatabaseTickets(TicketStore):
    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def find(self, business_id: UUID, name: str) -> Ticket | None:
        async with self._database.read() as session:
            row = await repository.find(session, business_id, name)
        if row is None or row.content is None or row.expires_at is None:
            return None
        return Ticket(self._cipher.decrypt_bytes(row.content, context=place(business_id, name)), row.expires_at)

    async def claim(self, business_id: UUID, name: str, seconds: float) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as unit:
            return await repository.claim(unit.session, business_id, name, now, now + timedelta(seconds=seconds))

    async def keep(self, business_id: UUID, name: str, ticket: Ticket | None) -> None:
        content = None
        if ticket is not None:
            content = self._cipher.encrypt(ticket.content, context=place(business_id, name))
        values = {"content": content, "expires_at": ticket.expires_at if ticket else None}
        async with self._database.transaction() as unit:
            await repository.put(unit.session, business_id, name, values)
