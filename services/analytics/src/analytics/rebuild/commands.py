"""`python -m analytics rebuild`: all facts and figures again, from the log of events."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from uuid import UUID

from chassis.runtime import Command, Kit
from chassis.tenancy import everyone

from analytics.aggregates.service import aggregate
from analytics.rebuild import service
from analytics.settings import AnalyticsSettings


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--business", type=UUID, help="this one alone; default: every business")


def _run(settings: AnalyticsSettings, arguments: Namespace) -> int:
    return asyncio.run(_rebuild(settings, arguments.business))


async def _rebuild(settings: AnalyticsSettings, business_id: UUID | None) -> int:
    kit = Kit("analytics", settings)
    try:
        with everyone():
            asked = await service.request(kit.database, kit.clock, business_id)
            sys.stdout.write(f"{len(asked)} businesses to rebuild\n")
            done = await service.work_off(kit.database, kit.cache)
            days = await aggregate(kit.database)
        sys.stdout.write(f"{done} businesses rebuilt, {days} days summed\n")
    finally:
        await kit.close()
    return 0


REBUILD = Command(
    "rebuild",
    "make all facts and figures again from the log of events; readers see the old ones until the new are ready",
    _run,
    _arguments,
)
