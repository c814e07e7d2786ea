"""The composition root: what the sales service is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.catalog.v1 import inventory_pb2_grpc
from contracts.payments.v1 import payments_pb2_grpc

from sales.base import Base
from sales.cash_registers.routes import router as cash_registers
from sales.cash_sessions.routes import router as cash_sessions
from sales.context import SalesContext
from sales.devices.routes import router as devices
from sales.refunds import jobs as refund_jobs
from sales.refunds import routes as refunds
from sales.sales import jobs, routes, rpc
from sales.sales.consumers import CONSUMER
from sales.sales.peers import Inventory, Payments
from sales.settings import SalesSettings
from sales.sync.routes import router as sync
from sales.z_reports.renderer import Renderer
from sales.z_reports.routes import router as z_reports

MIGRATIONS = Path(__file__).parents[2] / "migrations"


async def build(kit: Kit[Any]) -> Service:
    settings: SalesSettings = kit.settings
    catalog = inventory_pb2_grpc.InventoryStub(kit.channel("catalog"))
    payments = payments_pb2_grpc.PaymentsStub(kit.channel("payments"))
    renderer = Renderer()
    kit.on_close(renderer.close)
    context = SalesContext(
        settings=settings,
        clock=kit.clock,
        database=kit.database,
        cipher=kit.cipher,
        blind_index=kit.blind_index,
        idempotency=kit.idempotency,
        access=kit.access,
        directory=kit.directory,
        inventory=Inventory(catalog, timeout=settings.catalog_timeout),
        payments=Payments(payments, timeout=settings.payments_timeout),
        z_reports=renderer,
    )
    return Service(
        context=context,
        routers=[devices, sync, routes.router, refunds.router, cash_registers, cash_sessions, z_reports],
        rpc=[rpc.rpc_service(context)],
        consumers=[CONSUMER],
        jobs=[jobs.resumer(context), refund_jobs.resumer(context)],
        sealed=sealed_tables(Base),
    )
