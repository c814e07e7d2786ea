"""The composition root."""

from __future__ import annotations

from pathlib import Path

from chassis.runtime import Kit, Service

from analytics.context import AnalyticsContext
from analytics.facts.consumers import CONSUMER
from analytics.sales.routes import router as sales_router
from analytics.settings import AnalyticsSettings
from analytics.summary.routes import router as summary_router

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Reports are asked for by URL alone.
BODY_LIMIT = 16 * 1024


async def build(kit: Kit[AnalyticsSettings]) -> Service:
    context = AnalyticsContext(
        clock=kit.clock,
        database=kit.database,
        cache=kit.cache,
        access=kit.access,
        directory=kit.directory,
    )
    return Service(context=context, routers=[summary_router, sales_router], consumers=[CONSUMER], body_limit=BODY_LIMIT)
