"""What all databases hold of a tenant, to be compared with what they hold of it later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stack.services import WITH_DATABASE

from e2e.stage import Stage

_TABLES = """
    SELECT format('%I.%I', nspname, relname) AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname = ANY($1) ORDER BY 1"""

# A reconciliation is of a provider's day and of no tenant. One that an administrator begins for a victim's sake is
# among what is looked for, and the job that carries it out notes in it how far it is.
_OF_NO_TENANT = frozenset({"payments.reconciliations"})


async def snapshot(stage: Stage, traces: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """By table, the rows that name any of these; tables without one are left out."""
    pattern = "|".join(map(re.escape, sorted(traces)))
    tables = [row["name"] for row in await stage.rows(_TABLES, list(WITH_DATABASE)) if row["name"] not in _OF_NO_TENANT]
    parts = [f"SELECT '{table}' AS name, to_jsonb(one)::text AS row FROM {table} AS one" for table in tables]
    rows = await stage.rows(f"SELECT name, row FROM ({' UNION ALL '.join(parts)}) AS all_rows WHERE row ~ $1", pattern)
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["name"], set()).add(row["row"])
    return {table: frozenset(kept) for table, kept in found.items()}


def changes(before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]]) -> list[str]:
    """Every row that is gone, new or other than it was."""
    told = []
    for table in sorted({*before, *after}):
        was, is_ = before.get(table, frozenset()), after.get(table, frozenset())
        told += [f"{table} had {row}" for row in was - is_] + [f"{table} has {row}" for row in is_ - was]
    return told
