"""The composition root of catalog."""

from __future__ import annotations

from pathlib import Path

from chassis.http.middleware import BodyLimits
from chassis.runtime import Job, Kit, Service

from catalog.configuration.routes import router as configuration
from catalog.context import CatalogContext
from catalog.directory.consumers import CONSUMER
from catalog.products.routes import router as products
from catalog.reservations import service as reservations
from catalog.reservations.rpc import inventory_rpc
from catalog.settings import CatalogSettings
from catalog.sheets.routes import IMPORT_PATH, MAX_BODY
from catalog.sheets.routes import router as sheets
from catalog.stock.routes import history
from catalog.stock.routes import router as stock

MIGRATIONS = Path(__file__).parents[2] / "migrations"


async def build(kit: Kit[CatalogSettings]) -> Service:
    context = CatalogContext(
        database=kit.database,
        clock=kit.clock,
        access=kit.access,
        directory=kit.directory,
        idempotency=kit.idempotency,
        cache=kit.cache,
    )
    return Service(
        context=context,
        # Before products, of which it takes two paths.
        routers=[sheets, products, stock, history, configuration],
        body_limit=BodyLimits({IMPORT_PATH: MAX_BODY}),
        rpc=[inventory_rpc(context)],
        consumers=[CONSUMER],
        jobs=[
            Job(
                "release-expired-reservations",
                kit.settings.reservation_sweep_seconds,
                lambda: reservations.release_expired(context),
                # Rows are taken with SKIP LOCKED, so that processes share the work.
                exclusive=False,
            )
        ],
    )
