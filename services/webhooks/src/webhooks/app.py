"""The composition root."""

from __future__ import annotations

from pathlib import Path

from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.payments.v1 import payments_pb2_grpc
from psp.registry import webhook_receivers

from webhooks.base import Base
from webhooks.context import WebhooksContext
from webhooks.deliveries.claiming import LANES, Lane
from webhooks.deliveries.consumers import CONSUMERS
from webhooks.deliveries.courier import Courier
from webhooks.deliveries.egress import Egress
from webhooks.deliveries.routes import router as deliveries
from webhooks.deliveries.upkeep import Upkeep
from webhooks.endpoints.destinations import GuardedResolver, Policy
from webhooks.endpoints.routes import router as endpoints
from webhooks.inbound.accounts import AccountVerifier
from webhooks.inbound.routes import receiving, router
from webhooks.settings import WebhooksSettings

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Far above any provider's notification, far below what would hurt.
BODY_LIMIT = 256 * 1024
# Names of endpoints that are looked up at the same time when they are registered.
_LOOKUPS_AT_ONCE = 4


async def build(kit: Kit[WebhooksSettings]) -> Service:
    policy = Policy(frozenset(kit.settings.endpoint_ports), allow_loopback=kit.settings.endpoint_loopback)
    resolver = GuardedResolver(policy, at_once=_LOOKUPS_AT_ONCE)
    kit.on_close(resolver.close)
    couriers = [_courier(kit, lane, policy) for lane in LANES]
    context = WebhooksContext(
        clock=kit.clock,
        database=kit.database,
        cipher=kit.cipher,
        idempotency=kit.idempotency,
        access=kit.access,
        directory=kit.directory,
        receivers=webhook_receivers(),
        accounts=AccountVerifier(payments_pb2_grpc.PaymentAccountsStub(kit.channel("payments"))),
        destinations=policy,
        resolver=resolver,
        couriers=couriers,
    )
    return Service(
        context=context,
        routers=[receiving, router, endpoints, deliveries],
        consumers=CONSUMERS,
        jobs=[*(courier.job() for courier in couriers), *Upkeep(kit.database, kit.clock).jobs()],
        body_limit=BODY_LIMIT,
        sealed=sealed_tables(Base),
    )


def _courier(kit: Kit[WebhooksSettings], lane: Lane, policy: Policy) -> Courier:
    egress = Egress(policy, GuardedResolver(policy, at_once=lane.at_once))
    kit.on_close(egress.close)
    return Courier(lane, database=kit.database, clock=kit.clock, cipher=kit.cipher, egress=egress)
