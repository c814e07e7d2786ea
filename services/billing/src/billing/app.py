"""The composition root of billing."""

from __future__ import annotations

from chassis.objectstore import open_object_store
from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.sales.v1 import sales_pb2_grpc

from billing.base import Base
from billing.context import BillingContext
from billing.invoices.consumers import CONSUMERS
from billing.invoices.issuing import Issuer
from billing.invoices.routes import router as invoices
from billing.invoices.rpc import rpc_services
from billing.receipts.link import ReceiptLinks
from billing.receipts.renderer import Renderer
from billing.receipts.routes import router as receipts
from billing.receipts.service import Receipts
from billing.settings import BillingSettings


async def build(kit: Kit[BillingSettings]) -> Service:
    renderer = Renderer()
    kit.on_close(renderer.close)
    documents = Receipts(open_object_store(kit.settings.object_store_url), renderer, kit.cipher)
    links = ReceiptLinks(kit.common.public_url, kit.blind_index)
    issuer = Issuer(
        database=kit.database,
        clock=kit.clock,
        directory=kit.directory,
        sales=sales_pb2_grpc.SalesStub(kit.channel("sales")),
        receipts=documents,
        links=links,
    )
    context = BillingContext(
        database=kit.database,
        clock=kit.clock,
        access=kit.access,
        idempotency=kit.idempotency,
        receipts=documents,
        links=links,
        issuer=issuer,
        public_url=kit.common.public_url,
    )
    return Service(
        context=context,
        routers=[invoices, receipts],
        rpc=rpc_services(context),
        consumers=CONSUMERS,
        jobs=[issuer.job()],
        sealed=sealed_tables(Base),
    )
