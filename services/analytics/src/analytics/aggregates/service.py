"""The job that sums marked days. What it missed keeps its mark: a day is caught up whenever the job runs again."""

from __future__ import annotations

import time
from typing import Final

from chassis.database import Database
from chassis.runtime import Job
from prometheus_client import Gauge

from analytics.aggregates import repository

EVERY: Final = 60.0
# A month of a large shop is summed in a second or two, far below the time one statement may take.
_DAYS_AT_ONCE: Final = 31

_heartbeat = Gauge(
    "cobro_analytics_aggregated_timestamp_seconds", "When the aggregates were last up to date with the facts"
)


async def aggregate(database: Database) -> int:
    """Sum all that is marked; returns how many days of businesses. Each handful of days is a transaction."""
    async with database.read() as session:
        waiting = await repository.businesses(session)
    summed = 0
    for business_id in waiting:
        while True:
            async with database.transaction() as unit:
                days = await repository.take(unit.session, business_id, _DAYS_AT_ONCE)
                if days:
                    await repository.make(unit.session, business_id, days)
            summed += len(days)
            if len(days) < _DAYS_AT_ONCE:
                break
    _heartbeat.set(time.time())
    return summed


def aggregation_job(database: Database) -> Job:
    """By one process at a time: the job's lock is PostgreSQL's, and goes with the connection of whoever dies."""

    async def run() -> None:
        await aggregate(database)

    return Job("analytics-aggregate", EVERY, run)
