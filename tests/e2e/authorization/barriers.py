"""The two barriers between tenants, each of which can be taken away while the suite runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stack.services import WITH_DATABASE

from e2e.stage import Stage

from . import unfiltered

LAUNCHER = ("-P", str(Path(unfiltered.__file__)))

_SECURED = """
    SELECT format('%I.%I', nspname, relname) AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relrowsecurity AND nspname = ANY($1) ORDER BY 1"""


class Barriers:
    """flag: the file whose presence takes the filter out of the services."""

    def __init__(self, stage: Stage, flag: Path) -> None:
        self._stage = stage
        self._flag = flag

    async def secured_tables(self) -> list[str]:
        return [row["name"] for row in await self._stage.rows(_SECURED, list(WITH_DATABASE))]

    @asynccontextmanager
    async def without_filter(self) -> AsyncIterator[None]:
        """What the services themselves decide is always yes."""
        self._flag.touch()
        try:
            yield
        finally:
            self._flag.unlink()

    @asynccontextmanager
    async def without_row_security(self) -> AsyncIterator[None]:
        """Every role sees every row."""
        tables = await self.secured_tables()
        assert tables, "no table has row-level security"
        try:
            await self._alter(tables, "DISABLE")
            yield
        finally:
            await self._alter(tables, "ENABLE")

    async def _alter(self, tables: list[str], verb: str) -> None:
        for table in tables:
            await self._stage.rows(f"ALTER TABLE {table} {verb} ROW LEVEL SECURITY")
