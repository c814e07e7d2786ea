"""Jobs on a schedule, against a real database."""

import asyncio

import pytest
from chassis.database import Database
from chassis.runtime.jobs import Job, run_forever
from chassis.telemetry import metrics

pytestmark = pytest.mark.integration


def failures(service: str) -> float:
    return sum(
        sample.value
        for metric in metrics.job_failures.collect()
        for sample in metric.samples
        if sample.labels["service"] == service and sample.name.endswith("_total")
    )


async def test_more_jobs_than_connections_do_not_wait_for_each_other(database: Database) -> None:
    stopping, all_done, done = asyncio.Event(), asyncio.Event(), set[int]()

    def job(number: int) -> Job:
        async def run() -> None:
            assert await database.ping()
            done.add(number)
            if len(done) == 12:
                all_done.set()

        return Job(f"crowd-{number}", 60, run)

    # More than the pool of eight, each of which needs a second connection for its work.
    jobs = [job(number) for number in range(12)]
    running = [asyncio.create_task(run_forever(item, database, "crowd", stopping)) for item in jobs]
    async with asyncio.timeout(10):
        await all_done.wait()
    stopping.set()
    await asyncio.gather(*running)
    assert failures("crowd") == 0
