"""Sales and catalog in this process, in an event loop of their own: a Hypothesis state machine is not a coroutine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from catalog.app import MIGRATIONS as CATALOG_MIGRATIONS
from catalog.app import build as build_catalog
from catalog.settings import CatalogSettings
from chassis.auth import Principal
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.tenancy import everyone
from chassis.testing.service import COMMON, ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.payments import PaymentConfirmed, PaymentFailed
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import Currency, Money, new_id
from sales.app import MIGRATIONS as SALES_MIGRATIONS
from sales.app import build as build_sales
from sales.settings import SalesSettings
from sqlalchemy import text

T = TypeVar("T")
Json = dict[str, Any]

# A machine that does much else beside must not be told "unavailable": these tests are about what is true, not when.
_PATIENCE = {"SALES_CATALOG_TIMEOUT": "30", "SALES_PAYMENTS_TIMEOUT": "30", "SALES_DB_POOL_SIZE": "16"}


class PlayedPayments(payments_pb2_grpc.PaymentsServicer):
    """One payment per key, whose money moves when the test says so; refunds succeed at once."""

    def __init__(self) -> None:
        self.payments: dict[str, Any] = {}
        self.refunds: dict[str, Any] = {}

    async def CreatePayment(self, request: Any, _: Any) -> Any:
        if request.idempotency_key not in self.payments:
            self.payments[request.idempotency_key] = payments_pb2.Payment(
                id=str(new_id()),
                business_id=request.business_id,
                sale_id=request.sale_id,
                amount_minor=request.amount_minor,
                currency=request.currency,
                method=request.method,
                status="PENDING",
                provider="conekta",
                version=1,
            )
        return self.payments[request.idempotency_key]

    async def GetPayment(self, request: Any, _: Any) -> Any:
        return next(payment for payment in self.payments.values() if payment.id == request.payment_id)

    async def RefundPayment(self, request: Any, _: Any) -> Any:
        payment = next(payment for payment in self.payments.values() if payment.id == request.payment_id)
        if request.idempotency_key not in self.refunds:
            payment.refunded_minor += request.amount_minor
            assert payment.refunded_minor <= payment.amount_minor
            self.refunds[request.idempotency_key] = payments_pb2.Refund(
                id=str(new_id()), payment_id=payment.id, amount_minor=request.amount_minor, status="SUCCEEDED"
            )
        return self.refunds[request.idempotency_key]


@dataclass
class Town:
    """The two services, and a way into their loop for those who stand outside."""

    loop: asyncio.AbstractEventLoop
    catalog: ServiceUnderTest
    sales: ServiceUnderTest
    payments: PlayedPayments

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(100)

    async def passes(self, seconds: float) -> None:
        """Time goes on, for both services."""
        for service in (self.catalog, self.sales):
            service.clock.advance(timedelta(seconds=seconds))

    async def resumes(self) -> None:
        """Whatever was left in the middle is carried on."""
        with everyone():
            for job in self.sales.service.jobs:
                await job.run()

    def open_shop(self) -> Shop:
        business = self.sales.directory.open_business()
        branch = self.sales.directory.open_branch(business.id)
        self.catalog.directory.businesses[business.id] = business
        self.catalog.directory.branches[branch.id] = branch
        return Shop(self, business.id, branch.id, make_principal(user_id=business.owner_id, owns=[business.id]))


@dataclass
class Shop:
    """A merchant, and what they do, each a call of the API. Amounts of answers are decimal strings."""

    town: Town
    business_id: UUID
    branch_id: UUID
    owner: Principal

    async def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> tuple[int, Json]:
        service = self.town.catalog if path.startswith("/products") else self.town.sales
        answer = await service.client.request(
            method, f"/api/v1{path}", json=body, headers=service.as_(self.owner, **headers), timeout=90
        )
        assert answer.status_code != 500, answer.text
        return answer.status_code, answer.json() if answer.content else {}

    async def data(self, method: str, path: str, body: Json | None = None) -> Any:
        status, answer = await self.call(method, path, body)
        assert status < 300, answer
        return answer["data"]

    async def product(self, price: str, stock: int) -> str:
        body = {"businessId": str(self.business_id), "name": "Café de olla", "price": price, "taxRate": "0.16"}
        product = await self.data("POST", "/products", body)
        if stock:
            await self.put_in_stock(product["id"], stock)
        return str(product["id"])

    async def put_in_stock(self, product: str, quantity: int) -> None:
        body = {"branchId": str(self.branch_id), "type": "IN", "quantity": quantity, "reason": "Compra"}
        await self.data("POST", f"/products/{product}/stock-movements", body)

    def basket(self, product: str, quantity: int, **fields: Any) -> Json:
        paid = {} if "payments" in fields else {"payment": {"method": "CASH"}}
        return {
            "businessId": str(self.business_id),
            "branchId": str(self.branch_id),
            "items": [{"productId": product, "quantity": quantity}],
            **paid,
            **fields,
        }

    async def pays(self, sale: Json, *, succeeds: bool = True) -> None:
        """The buyer's payment by another method than cash ends."""
        payment = self.town.payments.payments[sale["id"]]
        payment.status, payment.version = ("CONFIRMED" if succeeds else "FAILED"), payment.version + 1
        now = self.town.sales.clock.now()
        told: Json = {
            "aggregate_id": UUID(payment.id),
            "aggregate_version": payment.version,
            "business_id": self.business_id,
            "sale_id": UUID(sale["id"]),
            "amount": MoneyAmount.of(Money(payment.amount_minor, Currency(payment.currency))),
            "status": payment.status,
            "method": payment.method,
            "provider": payment.provider,
            "provider_ref": "ord_1",
            "country": "MX",
            "time_zone": "America/Mexico_City",
            "created_at": now,
        }
        event = (
            PaymentConfirmed(**told, confirmed_at=now)
            if succeeds
            else PaymentFailed(**told, failure_reason="expired", failed_at=now)
        )
        await self.town.sales.deliver("sales.payments", event)

    async def stock(self) -> dict[str, tuple[int, int]]:
        """On hand and reserved by product, and that they are what their movements and reservations sum up to."""
        rows = await _rows(
            self.town.catalog,
            "SELECT level.product_id, level.on_hand, level.reserved,"
            " (SELECT coalesce(sum(change), 0) FROM stock_movements AS movement"
            "  WHERE movement.product_id = level.product_id AND movement.branch_id = level.branch_id) AS moved,"
            " (SELECT coalesce(sum(quantity), 0) FROM reservation_lines AS line JOIN reservations AS reservation"
            "  USING (sale_id) WHERE line.product_id = level.product_id AND reservation.branch_id = level.branch_id"
            "  AND reservation.status = 'RESERVED') AS open"
            " FROM stock_levels AS level WHERE level.business_id = :business",
            business=self.business_id,
        )
        for row in rows:
            assert (row.on_hand, row.reserved) == (row.moved, row.open)
            assert 0 <= row.reserved <= row.on_hand
        return {str(row.product_id): (row.on_hand, row.reserved) for row in rows}

    async def sold(self, product: str) -> int:
        """Units that the books of sales say have been sold."""
        [row] = await _rows(
            self.town.sales,
            "SELECT coalesce(sum(item.quantity), 0) AS sold FROM sale_items AS item JOIN sales AS sale"
            " ON sale.id = item.sale_id WHERE item.product_id = :product AND sale.completed_at IS NOT NULL",
            product=UUID(product),
        )
        return int(row.sold)

    async def drawers(self) -> list[Any]:
        """Sessions in the order of their opening: expected and late cash, which are what their ledgers sum up to."""
        rows = await _rows(
            self.town.sales,
            "SELECT session.status, session.expected, session.late_cash, session.difference,"
            " (SELECT coalesce(sum(amount), 0) FROM cash_entries WHERE session_id = session.id AND method = 'CASH'"
            "  AND NOT late AND kind <> 'CLOSING') AS entered,"
            " (SELECT coalesce(sum(amount), 0) FROM cash_entries WHERE session_id = session.id AND method = 'CASH'"
            "  AND late) AS entered_late,"
            " (SELECT count(*) = max(position) FROM cash_entries WHERE session_id = session.id) AS unbroken"
            " FROM cash_sessions AS session WHERE session.business_id = :business ORDER BY session.opened_at",
            business=self.business_id,
        )
        for row in rows:
            assert (row.expected, row.late_cash, row.unbroken) == (row.entered, row.entered_late, True)
        return rows

    async def refunds_add_up(self) -> None:
        """What was given back of each sale is the sum of its refunds, on lines, taxes and ways to pay alike."""
        wrong = await _rows(
            self.town.sales,
            "SELECT sale.id FROM sales AS sale"
            " LEFT JOIN (SELECT sale_id, sum(amount) AS amount, sum(tax) AS tax, sum(cash_amount) AS cash FROM refunds"
            "            WHERE status = 'SUCCEEDED' GROUP BY 1) AS given ON given.sale_id = sale.id"
            " LEFT JOIN (SELECT sale_id, sum(total) AS total, sum(tax) AS tax, sum(refunded_amount) AS refunded,"
            "            sum(refunded_tax) AS refunded_tax FROM sale_items GROUP BY 1) AS line"
            "   ON line.sale_id = sale.id"
            " WHERE sale.business_id = :business AND sale.completed_at IS NOT NULL AND NOT ("
            "  sale.refunded_amount = coalesce(given.amount, 0) AND sale.refunded_amount = line.refunded"
            "  AND coalesce(given.tax, 0) = line.refunded_tax AND coalesce(given.cash, 0) = sale.cash_refunded"
            "  AND sale.total = line.total AND sale.tax = line.tax"
            "  AND (sale.status = 'REFUNDED') = (sale.refunded_amount = sale.total AND sale.total > 0))",
            business=self.business_id,
        )
        assert wrong == []


async def _rows(service: ServiceUnderTest, query: str, **parameters: Any) -> list[Any]:
    with everyone():
        async with service.kit.database.read() as session:
            return list((await session.execute(text(query), parameters)).all())


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="town", daemon=True)
    thread.start()
    services = _running(loop)
    try:
        yield asyncio.run_coroutine_threadsafe(services.__aenter__(), loop).result(100)
    finally:
        asyncio.run_coroutine_threadsafe(services.__aexit__(None, None, None), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@asynccontextmanager
async def _running(loop: asyncio.AbstractEventLoop) -> AsyncIterator[Town]:
    payments = PlayedPayments()
    name = payments_pb2.DESCRIPTOR.services_by_name["Payments"].full_name
    played = RpcService(name, payments_pb2_grpc.add_PaymentsServicer_to_server, payments)
    identity = ServiceIdentity("payments", COMMON["SERVICE_AUTH_SECRET"])
    async with (
        running_service("catalog", CatalogSettings, build_catalog, migrations=CATALOG_MIGRATIONS) as catalog,
        _serving(RpcServer("catalog", catalog.service.rpc, catalog.kit.identity)) as catalog_at,
        _serving(RpcServer("payments", [played], identity)) as payments_at,
        running_service(
            "sales",
            SalesSettings,
            build_sales,
            migrations=SALES_MIGRATIONS,
            environment={"CATALOG_GRPC_TARGET": catalog_at, "PAYMENTS_GRPC_TARGET": payments_at, **_PATIENCE},
        ) as sales,
    ):
        yield Town(loop, catalog, sales, payments)


@asynccontextmanager
async def _serving(server: RpcServer) -> AsyncIterator[str]:
    port = await server.start("127.0.0.1:0")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
