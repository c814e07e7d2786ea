"""Alembic, run from code: one advisory lock per service, short lock timeouts, expand-then-contract.

A service's `migrations/env.py` is two lines that call `run_env`; its first revision calls `create_plumbing`, and one
of the next `secure_plumbing` (row_security.py).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.database.driver import ScopedConnection
from chassis.database.engine import async_url
from chassis.database.plumbing import PLUMBING_DDL, metadata
from chassis.tenancy import everyone

_LOCK_TIMEOUT = "5s"
_PLUMBING = frozenset(metadata.tables)


def create_plumbing() -> None:
    """Outbox, inbox and idempotency keys: called by a service's first revision."""
    for statement in PLUMBING_DDL:
        op.execute(statement)


def config(migrations: Path, url: str) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(migrations))
    settings.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    settings.attributes["url"] = url
    return settings


def upgrade(migrations: Path, url: str, revision: str = "head") -> None:
    """Bring the schema to `revision` as the owner role. Safe to call from several processes at once."""
    command.upgrade(config(migrations, url), revision)


def check(migrations: Path, url: str) -> None:
    """Raise when the models say something that no migration does."""
    command.check(config(migrations, url))


def run_env(target: MetaData) -> None:
    """The whole of a service's `env.py`."""
    url = context.config.attributes["url"]
    asyncio.run(_run(url, target))


async def _run(url: str, target: MetaData) -> None:
    connect_args = {"connection_class": ScopedConnection}
    engine = create_async_engine(async_url(url), poolclass=pool.NullPool, connect_args=connect_args)
    try:
        # The owner is subject to row-level security as well, and a data step is about all rows.
        with everyone():
            await _run_scoped(engine, target)
    finally:
        await engine.dispose()


async def _run_scoped(engine: AsyncEngine, target: MetaData) -> None:
    async with engine.connect() as connection:
        # Held by the session while the migrations' own transactions come and go.
        await connection.execute(text("SELECT pg_advisory_lock(hashtext('migrate'), hashtext(current_schema()))"))
        await connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.commit()
        await connection.run_sync(_migrate, target)
        await connection.commit()


def _migrate(connection: Connection, target: MetaData) -> None:
    context.configure(
        connection=connection,
        target_metadata=target,
        include_name=lambda name, kind, _: kind != "table" or not _is_plumbing(name),
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _is_plumbing(name: str | None) -> bool:
    return name is not None and (name in _PLUMBING or name.startswith("outbox_"))
