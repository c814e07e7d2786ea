"""The composition root of billing."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.objectstore import open_object_store
from chassis.reencryption import sealed_tables
from chassis.runtime import Kit, Service
from contracts.sales.v1 import sales_pb2_grpc
from fiscal.registry import FiscalRegistry, OpenProvider
from kernel import Country

from billing.base import Base
from billing.context import BillingContext
from billing.global_invoices.service import GlobalInvoices
from billing.invoices.consumers import CONSUMERS
from billing.invoices.issuing import Issuer
from billing.invoices.links import DocumentLinks
from billing.invoices.routes import router as invoices
from billing.invoices.rpc import rpc_services
from billing.profiles.data import ProfileVault
from billing.profiles.routes import router as profiles
from billing.receipts.link import ReceiptLinks
from billing.receipts.renderer import Renderer
from billing.receipts.routes import router as receipts
from billing.receipts.service import Receipts
from billing.settings import BillingSettings
from billing.tickets.store import DatabaseTickets
from billing.transmission.answers import Papers
from billing.transmission.transmitter import Transmitter
from billing.transmission.watch import FiscalWatch


async def build(kit: Kit[BillingSettings], countries: Mapping[Country, OpenProvider] | None = None) -> Service:
    """countries: other than those of `fiscal.registry`, for tests."""
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
    fiscal = FiscalRegistry(kit.clock, countries, DatabaseTickets(kit.database, kit.cipher, kit.clock))
    kit.on_close(fiscal.close)
    vault, papers = ProfileVault(kit.cipher), Papers(kit.cipher)
    transmitter = Transmitter(
        database=kit.database,
        clock=kit.clock,
        directory=kit.directory,
        sales=sales_pb2_grpc.SalesStub(kit.channel("sales")),
        receipts=documents,
        links=links,
        fiscal=fiscal,
        vault=vault,
        papers=papers,
    )
    periodic = GlobalInvoices(kit.database, kit.clock, fiscal, vault, papers, transmitter.wake)
    watch = FiscalWatch(kit.database, kit.clock)
    context = BillingContext(
        database=kit.database,
        clock=kit.clock,
        access=kit.access,
        idempotency=kit.idempotency,
        receipts=documents,
        links=links,
        issuer=issuer,
        directory=kit.directory,
        fiscal=fiscal,
        vault=vault,
        papers=papers,
        files=DocumentLinks(kit.common.public_url, kit.blind_index, kit.clock),
        transmitter=transmitter,
        global_invoices=periodic,
    )
    return Service(
        context=context,
        routers=[invoices, receipts, profiles],
        rpc=rpc_services(context),
        consumers=CONSUMERS,
        jobs=[issuer.job(), transmitter.job(), periodic.job(), watch.job()],
        sealed=sealed_tables(Base),
    )
