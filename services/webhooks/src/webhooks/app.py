"""The composition root."""

from __future__ import annotations

from pathlib import Path

from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from psp.registry import webhook_receivers

from webhooks.base import Base
from webhooks.context import WebhooksContext
from webhooks.inbound.routes import receiving, router
from webhooks.settings import WebhooksSettings

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Far above any provider's notification, far below what would hurt.
BODY_LIMIT = 256 * 1024


async def build(kit: Kit[WebhooksSettings]) -> Service:
    context = WebhooksContext(
        clock=kit.clock,
        database=kit.database,
        cipher=kit.cipher,
        idempotency=kit.idempotency,
        receivers=webhook_receivers(),
    )
    return Service(context=context, routers=[receiving, router], body_limit=BODY_LIMIT, sealed=sealed_tables(Base))
