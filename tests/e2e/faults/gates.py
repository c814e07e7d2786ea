"""Points of a service's work at which it can be held, to be killed exactly there.

A gate is a trigger in the database: a transaction that has written a certain row waits there, with nothing committed.
The service knows nothing of it. When its process has been killed, the transaction is either taken back, as if the
process had died a moment before the commit, or let through, as if it had died a moment after it.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from e2e.polling import until
from e2e.stage import Stage

_SCHEMA = """
CREATE SCHEMA {name};
CREATE TABLE {name}.gates (point text NOT NULL, key text NOT NULL, number int NOT NULL, PRIMARY KEY (point, key));
GRANT USAGE ON SCHEMA {name} TO PUBLIC;
GRANT SELECT ON {name}.gates TO PUBLIC;
CREATE FUNCTION {name}.hold() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
DECLARE
    here jsonb := to_jsonb(NEW);
    held int;
BEGIN
    SELECT number INTO held FROM {name}.gates WHERE point = TG_ARGV[0] AND (
        key IN (here->>'id', here->>'payment_id', here->>'aggregate_id', here->>'subject_id', here->>'our_reference',
                here->>'description')
        OR here->>'body' LIKE '%' || key || '%');
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock({locks}, held);
    END IF;
    RETURN NULL;
END $$;
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """change: INSERT or UPDATE of a row of `table` (`<service>.<table>`) for which `when` holds. commits: what becomes
    of the transaction once its process is dead. Of a row of `outbox` the statement is held, and never committed."""

    table: str
    change: str
    commits: bool
    when: str = "true"

    def trigger(self, schema: str, point: str) -> str:
        waits = "" if self.table.endswith(".outbox") else "DEFERRABLE INITIALLY DEFERRED"
        kind = "CONSTRAINT TRIGGER" if waits else "TRIGGER"
        return (
            f'CREATE {kind} "crash_{point}" AFTER {self.change} ON {self.table} {waits}'
            f" FOR EACH ROW WHEN ({self.when}) EXECUTE FUNCTION {schema}.hold('{point}')"
        )


class Gates:
    def __init__(self, connection: asyncpg.Connection, gates: dict[str, Gate]) -> None:
        self._connection = connection
        self._gates = gates
        self._numbers = {point: number for number, point in enumerate(gates)}
        # Of this set alone: another may be standing beside it.
        self._locks = secrets.randbelow(2**31)
        self._schema = f"crash_{self._locks}"

    async def shut(self, point: str, key: str) -> None:
        """For the row that has this key: its id, or the payment's it belongs to, or its description."""
        statement = f"INSERT INTO {self._schema}.gates VALUES ($1, $2, $3)"
        await self._connection.execute(statement, point, key, self._numbers[point])

    async def waiting(self, point: str) -> int | None:
        """The session that is held there."""
        query = (
            "SELECT pid FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND NOT granted LIMIT 1"
        )
        found: int | None = await self._connection.fetchval(query, self._locks, self._numbers[point])
        return found

    async def reached(self, *points: str) -> None:
        for point in points:
            await until(lambda point=point: self.waiting(point), within=12)

    async def open(self) -> None:
        """Once the process that was held is dead."""
        for point, gate in self._gates.items():
            pid = await self.waiting(point)
            if pid is not None and not gate.commits:
                await self._connection.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
        await self._connection.execute(f"DELETE FROM {self._schema}.gates")
        await self._connection.execute("SELECT pg_advisory_unlock_all()")
        for point in self._gates:
            await until(lambda point=point: self.waiting(point), lambda pid: pid is None)

    async def remove(self) -> None:
        await self._connection.execute("SELECT pg_advisory_unlock_all()")
        await self._connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")

    async def install(self) -> None:
        await self._connection.execute(_SCHEMA.format(name=self._schema, locks=self._locks))
        for point, number in self._numbers.items():
            await self._connection.execute("SELECT pg_advisory_lock($1, $2)", self._locks, number)
            await self._connection.execute(self._gates[point].trigger(self._schema, point))


@asynccontextmanager
async def gates_of(stage: Stage, gates: dict[str, Gate]) -> AsyncIterator[Gates]:
    connection = await asyncpg.connect(stage.suite.database_url("auth"))
    installed = Gates(connection, gates)
    try:
        await installed.install()
        yield installed
    finally:
        await installed.remove()
        await connection.close()
