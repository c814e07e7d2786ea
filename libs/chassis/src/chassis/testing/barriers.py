"""Taking down one of the two barriers between tenants, to show that the other holds by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from chassis.auth.access import Access, Permission
from chassis.auth.principal import BusinessRole, Membership, Principal
from chassis.database.provision import quote_identifier

_SECURED = (
    "SELECT c.relname FROM pg_class c"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity"
)
_TABLES = (
    "SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,"
    " c.relispartition AS partition, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies"
    " FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"
)


class SwitchedAccess(Access):
    """The real one, until it is off: then it grants everything to everyone and adds nothing to the caller's scope."""

    _off = False

    @contextmanager
    def off(self) -> Iterator[None]:
        self._off = True
        try:
            yield
        finally:
            self._off = False

    async def require(
        self, caller: Principal, business_id: UUID, permission: Permission, *, branch_id: UUID | None = None
    ) -> Membership:
        if self._off:
            return Membership(business_id, BusinessRole.OWNER)
        return await super().require(caller, business_id, permission, branch_id=branch_id)

    async def visible_memberships(
        self,
        caller: Principal,
        business_id: UUID | None,
        permission: Permission = Permission.READ,
        *,
        branch_id: UUID | None = None,
    ) -> Sequence[Membership] | None:
        if self._off and business_id is None:
            return None
        return await super().visible_memberships(caller, business_id, permission, branch_id=branch_id)


@asynccontextmanager
async def row_security_off(owner_url: str) -> AsyncIterator[None]:
    """Switch row-level security off on every table of the owner's schema, and on again as it was. Other sessions of the
    database see it at once, so a test that uses this shares its database with none that relies on it meanwhile."""
    owner = await asyncpg.connect(owner_url)
    try:
        secured = [record["relname"] for record in await owner.fetch(_SECURED)]
        await _alter(owner, secured, "DISABLE")
        try:
            yield
        finally:
            await _alter(owner, secured, "ENABLE")
    finally:
        await owner.close()


async def _alter(owner: asyncpg.Connection, tables: Sequence[str], action: str) -> None:
    # FORCE is a flag of its own, and stays.
    async with owner.transaction():
        for table in tables:
            await owner.execute(f"ALTER TABLE {quote_identifier(table)} {action} ROW LEVEL SECURITY")


@dataclass(frozen=True, slots=True)
class TableSecurity:
    name: str
    enabled: bool
    forced: bool
    partition: bool
    policies: int

    @property
    def is_secured(self) -> bool:
        """Forced with a policy; or a partition that nobody but its owner reaches except by way of its parent."""
        if self.partition:
            return self.enabled and not self.policies
        return self.enabled and self.forced and self.policies > 0


async def table_security(owner_url: str) -> list[TableSecurity]:
    """Every table of the owner's schema, from pg_catalog."""
    owner = await asyncpg.connect(owner_url)
    try:
        return [TableSecurity(**record) for record in await owner.fetch(_TABLES)]
    finally:
        await owner.close()


async def unsecured(owner_url: str, *, exempt: Mapping[str, str]) -> list[str]:
    """Names of tables that row-level security does not close and that are not in `exempt` (name to reason); and of
    exemptions that are of no table, or of a secured one."""
    tables = {table.name: table for table in await table_security(owner_url)}
    exempt = {"alembic_version": "the schema's version", "inbox": "ids of events and nothing else", **exempt}
    open_ones = {name for name, table in tables.items() if not table.is_secured}
    return sorted(open_ones ^ set(exempt))
