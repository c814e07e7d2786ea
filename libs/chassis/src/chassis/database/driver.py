"""Statements sent by the driver itself, for paths that are measured in thousands a second.

The same statement costs an order of magnitude less processor time than through SQLAlchemy, of whose pool the connection
still is. Each is a transaction of its own. Rows are asyncpg's records; JSON goes in as text and comes out as values;
errors are asyncpg's.

Being its own transaction, such a statement brings its scope (chassis.tenancy) along: SCOPED belongs into the WHERE of
each part that touches a tenant's table, `INSERT … SELECT … WHERE` included. PostgreSQL plans it as a one-time filter
above the scan, so that the settings stand before the first row is looked at; forgotten, it costs rows and never gives
any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from chassis import tenancy

# A name after a single colon; `::type` is a cast.
_NAME: Final = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")

SCOPED: Final = (
    "(SELECT set_config('cobro.tenants', :scope_tenants, true) || set_config('cobro.user', :scope_user, true))"
    " IS NOT NULL"
)
"""A condition that is always true and sets the scope of its statement. Its parameters are `scope_parameters()`, which
`Database` fills in for a Statement."""

UNSYNCED: Final = "(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"
"""A condition that is always true, and by which the commit of its transaction does not wait for the disk. For what is
done again, with the same outcome, should a crash of PostgreSQL take back the last moments of it; never for what anyone
was told is done."""


def scope_parameters() -> dict[str, str]:
    scope = tenancy.current()
    return {"scope_tenants": scope.tenants_setting, "scope_user": scope.user_setting}


class ScopedConnection(asyncpg.Connection):
    """Begins transactions within the current scope, in the round trip that BEGIN takes anyway.

    The settings are local to the transaction: one of the session would go on to whom the pool lends the connection
    next.
    """

    __slots__ = ()

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if not query.startswith("BEGIN"):
            return str(await super().execute(query, *args, timeout=timeout))
        scope = tenancy.current()
        settings = (
            f" SET LOCAL cobro.tenants = '{scope.tenants_setting}'; SET LOCAL cobro.\"user\" = '{scope.user_setting}';"
        )
        try:
            return str(await super().execute(query + settings, timeout=timeout))
        except BaseException:
            # Whether it has begun is not known. A transaction left open would hand its scope to the next borrower.
            self.terminate()
            raise


class Statement:
    """SQL with :named parameters. Build it once, as a constant."""

    __slots__ = ("_names", "_scoped", "sql")

    def __init__(self, sql: str) -> None:
        numbers: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

        self.sql = _NAME.sub(number, sql)
        self._names = tuple(numbers)
        self._scoped = "scope_tenants" in numbers

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """In the driver's order; what the statement does not name is ignored. Raises KeyError for a missing one."""
        if self._scoped:
            parameters = {**parameters, **scope_parameters()}
        return [parameters[name] for name in self._names]
