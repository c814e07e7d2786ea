"""The composition root."""

from __future__ import annotations

from pathlib import Path

from chassis.http.errors import is_database_outage
from chassis.runtime import Kit, Service

from analytics.aggregates.service import aggregation_job
from analytics.cash.routes import router as cash_router
from analytics.context import AnalyticsContext
from analytics.facts.batches import Batches
from analytics.facts.consumers import AT_ONCE, CONSUMER
from analytics.facts.service import Recorder
from analytics.hours.routes import router as hours_router
from analytics.payments.routes import router as payments_router
from analytics.rebuild.service import rebuild_job
from analytics.sales.routes import router as sales_router
from analytics.settings import AnalyticsSettings
from analytics.stock.routes import router as stock_router
from analytics.summary.routes import router as summary_router
from analytics.top_products.routes import router as top_products_router
from analytics.weekly.service import weekly_job

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Reports are asked for by URL alone.
BODY_LIMIT = 16 * 1024


async def build(kit: Kit[AnalyticsSettings]) -> Service:
    recorder = Recorder(kit.database, kit.cache, kit.clock)
    context = AnalyticsContext(
        clock=kit.clock,
        database=kit.database,
        cache=kit.cache,
        access=kit.access,
        directory=kit.directory,
        batches=Batches(recorder.record, at_most=AT_ONCE, is_outage=is_database_outage),
    )
    return Service(
        context=context,
        routers=[
            summary_router,
            sales_router,
            payments_router,
            top_products_router,
            cash_router,
            hours_router,
            stock_router,
        ],
        consumers=[CONSUMER],
        jobs=[aggregation_job(kit.database), rebuild_job(kit.database, kit.cache), weekly_job(context)],
        body_limit=BODY_LIMIT,
    )
