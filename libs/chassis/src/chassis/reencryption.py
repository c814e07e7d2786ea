"""Bringing every encrypted value of a service under the current key while the service runs.

`python -m <service> re-encrypt` walks through every place that holds values of `FieldCipher`, some hundred rows to a
transaction, and rewrites what is not under the first key of FIELD_ENCRYPTION_KEYS. It may be killed at any moment and
run again: what is done is done, and what is not is found by its key id. At the end it counts what is left under each
other key; nothing left means that the other keys can be dropped.

A row is rewritten under its lock, from the value found there, so that it can never undo a change made at the same time.
A row that somebody else has locked is left for the next pass.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Column, ColumnElement, Row, Table, and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.orm import DeclarativeBase

from chassis import tenancy
from chassis.crypto import DecryptionFailed, FieldCipher, key_id_of, prefix_of
from chassis.database.engine import Database
from chassis.database.plumbing import idempotency_keys
from chassis.database.unit import UnitOfWork
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

# Rows looked at in one transaction: locked for some ten milliseconds at most.
_WINDOW: Final = 500
# A row can be locked by somebody else each time we come by; beyond this, something else is wrong.
_PASSES: Final = 5
_PAUSE: Final = 0.5
_UNKNOWN: Final = "?"

Progress = Callable[[int], None]


class Place(Protocol):
    """Where a service keeps encrypted values."""

    @property
    def name(self) -> str: ...

    async def reencrypt(self, database: Database, cipher: FieldCipher, progress: Progress) -> None:
        """One pass over everything. Calls `progress` with the number of values rewritten, now and then."""
        ...

    async def remaining(self, database: Database, cipher: FieldCipher) -> Mapping[str, int]:
        """How many values are under which key other than the current one."""
        ...


@dataclass(frozen=True, slots=True)
class SealedTable:
    """The encrypted columns of one table. A value is bound to `table.column:primary key`, the key's parts joined by
    colons."""

    table: Table
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.table.name)  # SQLAlchemy's own kind of string is no key in JSON

    async def reencrypt(self, database: Database, cipher: FieldCipher, progress: Progress) -> None:
        if not cipher.other_key_ids:
            return
        async for window in self._windows(database):

            async def work(unit: UnitOfWork, window: ColumnElement[bool] = window) -> int:
                return await self._rewrite(unit, cipher, window)

            progress(await database.run(work))

    async def remaining(self, database: Database, cipher: FieldCipher) -> Mapping[str, int]:
        left: Counter[str] = Counter()
        async for window in self._windows(database):
            for column in (self.table.c[name] for name in self.columns):
                key_id = func.split_part(func.left(column, 64), ".", 2)
                statement = (
                    select(key_id, func.count()).where(window, _is_old(column, cipher.current_prefix)).group_by(key_id)
                )
                async with database.read() as session:
                    for kid, count in await session.execute(statement):
                        left[kid or _UNKNOWN] += count
        return left

    def context(self, column: str, row: Row[Any]) -> str:
        return f"{self.table.name}.{column}:{':'.join(str(getattr(row, key.name)) for key in self._key)}"

    @property
    def _key(self) -> Sequence[Column[Any]]:
        return tuple(self.table.primary_key)

    async def _windows(self, database: Database) -> AsyncIterator[ColumnElement[bool]]:
        """Conditions that cut the table into runs of rows by primary key, so that no statement reads all of it."""
        key = tuple_(*self._key)
        condition: ColumnElement[bool] = and_(True)
        while True:
            last = select(*self._key).where(condition).order_by(*self._key).offset(_WINDOW - 1).limit(1)
            async with database.read() as session:
                bound = (await session.execute(last)).first()
            if bound is None:
                yield condition
                return
            yield and_(condition, key <= tuple_(*bound))
            condition = key > tuple_(*bound)

    async def _rewrite(self, unit: UnitOfWork, cipher: FieldCipher, window: ColumnElement[bool]) -> int:
        columns: list[Column[Any]] = [self.table.c[name] for name in self.columns]
        statement = (
            select(*self._key, *columns)
            .where(window, or_(*(_is_readable(column, cipher) for column in columns)))
            .order_by(*self._key)
            .with_for_update(skip_locked=True)
        )
        rows = (await unit.session.execute(statement)).all()
        rewritten = 0
        parameters = []
        for row in rows:
            fresh = self._fresh(row, cipher)
            rewritten += len(fresh)
            if fresh:
                values = {name: fresh.get(name, getattr(row, name)) for name in self.columns}
                parameters.append(
                    {f"new_{name}": value for name, value in values.items()}
                    | {f"key_{key.name}": getattr(row, key.name) for key in self._key}
                )
        if parameters:
            change = (
                update(self.table)
                .where(*(key == bindparam(f"key_{key.name}") for key in self._key))
                .values({name: bindparam(f"new_{name}") for name in self.columns})
            )
            connection = await unit.session.connection()
            await connection.execute(change, parameters)
        return rewritten

    def _fresh(self, row: Row[Any], cipher: FieldCipher) -> dict[str, str]:
        """The row's values under the current key, of those that are not. What does not decrypt is left as it is."""
        fresh = {}
        for name in self.columns:
            value = getattr(row, name)
            if value is None or key_id_of(value) not in cipher.other_key_ids:
                continue
            context = self.context(name, row)
            try:
                fresh[name] = cipher.encrypt(cipher.decrypt_bytes(value, context=context), context=context)
            except DecryptionFailed:
                log.warning("reencryption.value_does_not_decrypt", place=context)
        return fresh


def sealed_tables(base: type[DeclarativeBase]) -> list[SealedTable]:
    """Every table of these models that names encrypted columns in `SEALED`."""
    tables = {}
    for mapper in base.registry.mappers:
        columns: frozenset[str] = getattr(mapper.class_, "SEALED", frozenset())
        if columns and issubclass(mapper.class_, base) and isinstance(mapper.local_table, Table):
            tables[mapper.local_table.name] = SealedTable(mapper.local_table, tuple(sorted(columns)))
    return [tables[name] for name in sorted(tables)]


STORED_ANSWERS: Final = SealedTable(idempotency_keys, ("body",))
"""The answers kept under Idempotency-Keys, which every service with a database has."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """rewritten: values by place; remaining: values by the id of a key that is not the current one."""

    key_id: str
    rewritten: Mapping[str, int]
    remaining: Mapping[str, int]

    @property
    def is_complete(self) -> bool:
        return not self.remaining


async def reencrypt(
    database: Database, cipher: FieldCipher, places: Sequence[Place], report: Callable[[str], None]
) -> Outcome:
    """Rewrite everything in `places`, telling `report` lines about it. A value that cannot be rewritten remains."""
    rewritten: Counter[str] = Counter()
    remaining: Counter[str] = Counter()
    with tenancy.everyone():
        for place in places:
            remaining.update(await _one_place(database, cipher, place, rewritten, report))
    for kid, count in sorted(remaining.items()):
        report(f"{count} values remain under key {kid}: it must not be dropped")
    if not remaining:
        report(f"0 values remain under any other key than {cipher.current_key_id}: the others can be dropped")
    return Outcome(cipher.current_key_id, dict(rewritten), dict(remaining))


async def _one_place(
    database: Database, cipher: FieldCipher, place: Place, rewritten: Counter[str], report: Callable[[str], None]
) -> Mapping[str, int]:
    said = 0

    def progress(count: int) -> None:
        nonlocal said
        rewritten[place.name] += count
        if rewritten[place.name] - said >= 10 * _WINDOW:
            said = rewritten[place.name]
            report(f"{place.name}: {said} values so far")

    left: Mapping[str, int] = {}
    for attempt in range(_PASSES):
        await place.reencrypt(database, cipher, progress)
        left = await place.remaining(database, cipher)
        if not left.keys() & cipher.other_key_ids:
            break
        if attempt + 1 < _PASSES:
            await asyncio.sleep(_PAUSE)
    report(f"{place.name}: {rewritten[place.name]} values re-encrypted, {sum(left.values())} remain")
    return left


def _is_readable(column: Column[Any], cipher: FieldCipher) -> ColumnElement[bool]:
    """Under another key than the current one, which is at hand."""
    return or_(*(func.starts_with(column, prefix_of(kid)) for kid in sorted(cipher.other_key_ids)))


def _is_old(column: Column[Any], prefix: str) -> ColumnElement[bool]:
    return and_(column.is_not(None), ~func.starts_with(column, prefix))
