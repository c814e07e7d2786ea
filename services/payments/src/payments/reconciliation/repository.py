"""The queries of reconciliations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import SCOPED, Database, Statement
from chassis.http.pagination import PageParams, Slice, fetch_page
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from payments.intents.models import Payment
from payments.intents.repository import SELECT_SQL, payment_of
from payments.reconciliation.models import Difference, Run, RunStatus, differences, reconciliations

_RUN_COLUMNS: Final = [reconciliations.c[field.name] for field in fields(Run)]
_RUN_WIDTH: Final = len(_RUN_COLUMNS)
_RUNS: Final = select(*_RUN_COLUMNS)
_KNOWN: Final = Statement(
    f"{SELECT_SQL} FROM payments WHERE provider = :provider"
    f" AND (provider_ref = ANY(:refs) OR id = ANY(:ids)) AND {SCOPED}"
)
_OURS: Final = Statement(
    f"{SELECT_SQL} FROM payments WHERE provider = :provider AND provider_ref IS NOT NULL AND account_id IS NULL"
    f" AND created_at >= :since AND created_at < :until AND id > :after AND {SCOPED} ORDER BY id LIMIT :batch"
)


def run_of(row: Row[Any]) -> Run:
    return Run(*row[:_RUN_WIDTH])


async def add(session: AsyncSession, run: Run) -> None:
    await session.execute(insert(reconciliations).values(**asdict(run)))


async def schedule(database: Database, run: Run) -> None:
    """Once per provider and day."""
    async with database.transaction() as unit:
        await unit.session.execute(upsert(reconciliations).values(**asdict(run)).on_conflict_do_nothing())


async def due(database: Database, now: datetime) -> Run | None:
    statement = _RUNS.where(reconciliations.c.status == RunStatus.PENDING.value, reconciliations.c.due_at <= now)
    async with database.read() as session:
        row = (await session.execute(statement.order_by(reconciliations.c.due_at).limit(1))).first()
    return None if row is None else run_of(row)


async def find(database: Database, run_id: UUID) -> Run | None:
    async with database.read() as session:
        row = (await session.execute(_RUNS.where(reconciliations.c.id == run_id))).first()
    return None if row is None else run_of(row)


async def page(database: Database, provider: str | None, params: PageParams) -> Slice:
    statement = _RUNS if provider is None else _RUNS.where(reconciliations.c.provider == provider)
    async with database.read() as session:
        return await fetch_page(
            session, statement, params, created_at=reconciliations.c.created_at, id=reconciliations.c.id
        )


async def change(database: Database, run_id: UUID, values: dict[str, Any], found: Sequence[Difference] = ()) -> None:
    """What was found replaces what an earlier try had found."""
    async with database.transaction() as unit:
        await unit.session.execute(update(reconciliations).where(reconciliations.c.id == run_id).values(**values))
        await unit.session.execute(delete(differences).where(differences.c.reconciliation_id == run_id))
        if found:
            await unit.session.execute(insert(differences), [asdict(difference) for difference in found])


async def found_by(database: Database, run_id: UUID, limit: int) -> list[Difference]:
    columns = [differences.c[field.name] for field in fields(Difference)]
    statement = select(*columns).where(differences.c.reconciliation_id == run_id).order_by(differences.c.id)
    async with database.read() as session:
        return [Difference(*row) for row in await session.execute(statement.limit(limit))]


async def known(database: Database, provider: str, refs: Sequence[str], ids: Sequence[UUID]) -> list[Payment]:
    records = await database.fetch(_KNOWN, {"provider": provider, "refs": list(refs), "ids": list(ids)})
    return [payment_of(record) for record in records]


async def ours(
    database: Database, provider: str, since: datetime, until: datetime, after: UUID, batch: int
) -> list[Payment]:
    """Those the provider has answered for, by id."""
    parameters = {"provider": provider, "since": since, "until": until, "after": after, "batch": batch}
    return [payment_of(record) for record in await database.fetch(_OURS, parameters)]


async def last_day(database: Database, provider: str) -> tuple[date, dict[str, int]] | None:
    """The last day that was reconciled, and how many differences stay open of it, by kind."""
    done = _RUNS.where(reconciliations.c.provider == provider, reconciliations.c.status == RunStatus.DONE.value)
    async with database.read() as session:
        row = (
            await session.execute(done.order_by(reconciliations.c.day.desc(), reconciliations.c.id.desc()).limit(1))
        ).first()
        if row is None:
            return None
        run = run_of(row)
        counted = await session.execute(
            select(differences.c.kind, func.count())
            .where(differences.c.reconciliation_id == run.id, differences.c.repaired.is_(False))
            .group_by(differences.c.kind)
        )
        return run.day, {row[0]: row[1] for row in counted}
