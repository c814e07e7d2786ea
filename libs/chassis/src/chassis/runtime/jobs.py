"""Work on a schedule, by one process at a time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import text

from chassis.database.engine import Database
from chassis.telemetry import metrics
from chassis.telemetry.logs import get_logger
from chassis.tenancy import everyone

log = get_logger(__name__)

_LOCK = text("SELECT pg_try_advisory_lock(hashtext(:service), hashtext(:job))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext(:service), hashtext(:job))")


@dataclass(frozen=True, slots=True)
class Job:
    """`run` every `every` seconds (with a little jitter), in this process only while it holds the job's lock. It sees
    the rows of everyone.

    exclusive=False: in every process, without a lock. finish: waits for what runs have begun, when the process ends.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[object]]
    exclusive: bool = True
    finish: Callable[[], Awaitable[object]] | None = None


async def run_forever(job: Job, database: Database | None, service: str, stopping: asyncio.Event) -> None:
    """The loop of one job. A failing run is logged and counted; the next one comes all the same."""
    while not stopping.is_set():
        try:
            with everyone():
                if job.exclusive and database is not None:
                    await _exclusively(job, database, service, stopping)
                else:
                    await job.run()
                    metrics.job_last_success.labels(service, job.name).set(time.time())
        except Exception as error:
            metrics.job_failures.labels(service, job.name).inc()
            log.error("job.failed", job=job.name, exc_info=error)
        try:
            async with asyncio.timeout(job.every * random.uniform(0.9, 1.1)):  # noqa: S311 - jitter
                await stopping.wait()
        except TimeoutError:
            continue
    if job.finish is not None:
        await job.finish()


async def _exclusively(job: Job, database: Database, service: str, stopping: asyncio.Event) -> None:
    names = {"service": service, "job": job.name}
    async with database.lock_holders, database.autocommit() as connection:
        if stopping.is_set():
            return
        if not (await connection.execute(_LOCK, names)).scalar_one():
            return
        try:
            await job.run()
        finally:
            await connection.execute(_UNLOCK, names)
    metrics.job_last_success.labels(service, job.name).set(time.time())
