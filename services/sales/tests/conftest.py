"""The sales service between two peers that keep state, speak real gRPC and fail on command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from chassis.auth import Principal
from chassis.directory import Branch, Business
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.tenancy import everyone
from chassis.testing.service import COMMON, ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from contracts.events import MoneyAmount
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import Clock, Country, Currency, FixedClock, Money, NotFound, RuleViolation, new_id
from sales.app import MIGRATIONS, build
from sales.settings import SalesSettings

QUEUE = "sales.payments"


class Faults:
    """What happens instead of, or around, the next call of a method: `faults.before("Reserve", hang)`."""

    def __init__(self) -> None:
        self._hooks: dict[tuple[str, str], list[Callable[[], Awaitable[None]]]] = {}
        self.reached = asyncio.Event()

    def before(self, method: str, hook: Callable[[], Awaitable[None]], times: int = 1) -> None:
        self._hooks.setdefault((method, "before"), []).extend([hook] * times)

    def after(self, method: str, hook: Callable[[], Awaitable[None]], times: int = 1) -> None:
        self._hooks.setdefault((method, "after"), []).extend([hook] * times)

    async def run(self, method: str, moment: str) -> None:
        hooks = self._hooks.get((method, moment))
        if hooks:
            await hooks.pop(0)()

    async def hang(self) -> None:
        """The answer never comes."""
        self.reached.set()
        await asyncio.sleep(60)

    @staticmethod
    def failing(error: Exception) -> Callable[[], Awaitable[None]]:
        async def fail() -> None:
            raise error

        return fail

    def clear(self) -> None:
        self._hooks.clear()
        self.reached.clear()


@dataclass
class Reservation:
    business_id: str
    status: str
    lines: dict[str, int]
    expires_at_ms: int
    reasons: list[str] = field(default_factory=list)


class FakeCatalog(inventory_pb2_grpc.InventoryServicer):
    """Keeps shelves by the rules of the contract: all lines or none, idempotent by sale, released is released."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.products: dict[str, inventory_pb2.PricedLine] = {}
        self.available: dict[str, int] = {}
        self.sold: dict[str, int] = {}
        self.reservations: dict[str, Reservation] = {}
        self.returns: dict[str, dict[str, int]] = {}
        self.priced_at_ms: dict[str, int] = {}

    def add(self, price: Money, *, stock: int, tax_rate: str = "0.16", name: str = "Café de olla") -> UUID:
        product = new_id()
        self.products[str(product)] = inventory_pb2.PricedLine(
            product_id=str(product),
            name=name,
            sku="CAF-1",
            unit_price_minor=price.minor,
            currency=price.currency.value,
            tax_rate=tax_rate,
        )
        self.available[str(product)] = stock
        self.sold[str(product)] = 0
        return product

    async def Reserve(self, request: Any, _: Any) -> Any:
        await self.faults.run("Reserve", "before")
        answer = self._reserve(request)
        await self.faults.run("Reserve", "after")
        return answer

    async def Commit(self, request: Any, _: Any) -> Any:
        await self.faults.run("Commit", "before")
        reservation = self.reservations.get(request.sale_id)
        if reservation is None or reservation.status == "RELEASED":
            raise RuleViolation("The reservation was released", code="reservation_released")
        if reservation.status == "RESERVED":
            reservation.status = "COMMITTED"
            for product, quantity in reservation.lines.items():
                self.sold[product] += quantity
        await self.faults.run("Commit", "after")
        return inventory_pb2.Reservation(sale_id=request.sale_id, status="COMMITTED")

    async def Release(self, request: Any, _: Any) -> Any:
        await self.faults.run("Release", "before")
        self.release(request.sale_id, request.reason)
        await self.faults.run("Release", "after")
        return inventory_pb2.Reservation(sale_id=request.sale_id, status="RELEASED")

    def release(self, sale_id: str, reason: str) -> None:
        reservation = self.reservations.setdefault(sale_id, Reservation("", "RELEASED", {}, 0))
        if reservation.status == "COMMITTED":
            raise RuleViolation("Already sold", code="reservation_committed")
        if reservation.status == "RESERVED":
            for product, quantity in reservation.lines.items():
                self.available[product] += quantity
        reservation.status = "RELEASED"
        reservation.reasons.append(reason)

    async def Return(self, request: Any, _: Any) -> Any:
        await self.faults.run("Return", "before")
        reservation = self.reservations.get(request.sale_id)
        if reservation is None or reservation.status != "COMMITTED":
            raise RuleViolation("Never sold", code="not_sold")
        if request.return_id not in self.returns:
            self.returns[request.return_id] = {line.product_id: line.quantity for line in request.lines}
            for line in request.lines:
                self.available[line.product_id] += line.quantity
                self.sold[line.product_id] -= line.quantity
        await self.faults.run("Return", "after")
        return inventory_pb2.ReturnResponse(return_id=request.return_id)

    def _reserve(self, request: Any) -> Any:
        found = self.reservations.get(request.sale_id)
        if found is not None and found.status == "RELEASED" and not request.revive:
            raise RuleViolation("The reservation was released", code="reservation_released")
        lines: dict[str, int] = {}
        for line in request.lines:
            lines[line.product_id] = lines.get(line.product_id, 0) + line.quantity
        if found is None or found.status == "RELEASED":
            if any(product not in self.products for product in lines):
                raise NotFound("Product not found", code="product_not_found")
            if request.already_sold:
                for product, quantity in lines.items():
                    self.available[product] = max(self.available[product], quantity)
            self.priced_at_ms[request.sale_id] = request.priced_at_ms
            short = {p: self.available[p] for p, quantity in lines.items() if self.available[p] < quantity}
            if short:
                listed = ",".join(f"{product}:{left}" for product, left in short.items())
                raise RuleViolation("Not enough stock", code="insufficient_stock", metadata={"products": listed})
            for product, quantity in lines.items():
                self.available[product] -= quantity
            found = Reservation(request.business_id, "RESERVED", lines, request.expires_at_ms)
            self.reservations[request.sale_id] = found
        priced = []
        for product, quantity in found.lines.items():
            line = inventory_pb2.PricedLine()
            line.CopyFrom(self.products[product])
            line.quantity = quantity
            priced.append(line)
        return inventory_pb2.Reservation(sale_id=request.sale_id, status=found.status, lines=priced)


class FakePayments(payments_pb2_grpc.PaymentsServicer):
    """One payment per key, moved by the test."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.clock: Clock = FixedClock()
        self.by_key: dict[str, Any] = {}
        self.requests: dict[str, Any] = {}
        self.refunds: dict[str, Any] = {}
        self.refund_status = "SUCCEEDED"
        self.cancel_asked: list[str] = []

    def of_sale(self, sale_id: str) -> Any:
        return self.by_key[sale_id]

    async def CreatePayment(self, request: Any, _: Any) -> Any:
        await self.faults.run("CreatePayment", "before")
        if request.idempotency_key not in self.by_key:
            payment_id = str(new_id())
            expires = self.clock.now() + timedelta(seconds=request.expires_in)
            self.requests[request.idempotency_key] = request
            self.by_key[request.idempotency_key] = payments_pb2.Payment(
                id=payment_id,
                business_id=request.business_id,
                amount_minor=request.amount_minor,
                currency=request.currency,
                status="PENDING",
                method=request.method,
                provider="conekta",
                qr_code_url=f"http://pay.test/{payment_id}.svg" if request.method.startswith("QR") else "",
                payment_link=f"http://pay.test/{payment_id}" if request.method == "PAYMENT_LINK" else "",
                transfer=payments_pb2.Transfer(clabe="646180111812345678", reference="77", bank="STP")
                if request.method == "BANK_TRANSFER"
                else None,
                expires_at_ms=int(expires.timestamp() * 1000),
                sale_id=request.sale_id,
                version=1,
            )
        await self.faults.run("CreatePayment", "after")
        return self.by_key[request.idempotency_key]

    async def GetPayment(self, request: Any, _: Any) -> Any:
        await self.faults.run("GetPayment", "before")
        return next(payment for payment in self.by_key.values() if payment.id == request.payment_id)

    async def CancelPayment(self, request: Any, _: Any) -> Any:
        self.cancel_asked.append(request.payment_id)
        await self.faults.run("CancelPayment", "before")
        payment = next(payment for payment in self.by_key.values() if payment.id == request.payment_id)
        if payment.status == "PENDING":
            payment.status, payment.failure_reason, payment.version = "FAILED", "canceled", payment.version + 1
        await self.faults.run("CancelPayment", "after")
        return payment

    async def RefundPayment(self, request: Any, _: Any) -> Any:
        await self.faults.run("RefundPayment", "before")
        payment = next(payment for payment in self.by_key.values() if payment.id == request.payment_id)
        if request.idempotency_key not in self.refunds:
            amount = request.amount_minor or payment.amount_minor - payment.refunded_minor
            if amount > payment.amount_minor - payment.refunded_minor:
                raise RuleViolation("More than is left", code="refund_exceeds_payment")
            payment.refunded_minor += amount
            self.refunds[request.idempotency_key] = payments_pb2.Refund(
                id=str(new_id()), payment_id=payment.id, amount_minor=amount, status=self.refund_status
            )
        await self.faults.run("RefundPayment", "after")
        return self.refunds[request.idempotency_key]

    async def GetRefund(self, request: Any, _: Any) -> Any:
        await self.faults.run("GetRefund", "before")
        return next(refund for refund in self.refunds.values() if refund.id == request.refund_id)


@asynccontextmanager
async def serving(name: str, full_name: str, add: Any, servicer: object) -> AsyncIterator[str]:
    identity = ServiceIdentity(name, COMMON["SERVICE_AUTH_SECRET"])
    server = RpcServer(name, [RpcService(full_name, add, servicer)], identity)
    port = await server.start("127.0.0.1:0")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
def peers() -> tuple[FakeCatalog, FakePayments]:
    return FakeCatalog(), FakePayments()


@pytest.fixture(scope="session")
async def sut(peers: tuple[FakeCatalog, FakePayments]) -> AsyncIterator[ServiceUnderTest]:
    catalog, payments = peers
    inventory_name = inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].full_name
    payments_name = payments_pb2.DESCRIPTOR.services_by_name["Payments"].full_name
    async with (
        serving("catalog", inventory_name, inventory_pb2_grpc.add_InventoryServicer_to_server, catalog) as catalog_at,
        serving("payments", payments_name, payments_pb2_grpc.add_PaymentsServicer_to_server, payments) as payments_at,
    ):
        environment = {
            "CATALOG_GRPC_TARGET": catalog_at,
            "PAYMENTS_GRPC_TARGET": payments_at,
            "SALES_CATALOG_TIMEOUT": "0.4",
            "SALES_PAYMENTS_TIMEOUT": "0.4",
        }
        async with running_service(
            "sales", SalesSettings, build, migrations=MIGRATIONS, environment=environment
        ) as service:
            payments.clock = service.clock
            yield service


@pytest.fixture
def catalog(peers: tuple[FakeCatalog, FakePayments]) -> Iterator[FakeCatalog]:
    yield peers[0]
    peers[0].faults.clear()


@pytest.fixture
def payments(peers: tuple[FakeCatalog, FakePayments]) -> Iterator[FakePayments]:
    yield peers[1]
    peers[1].faults.clear()
    peers[1].refund_status = "SUCCEEDED"


@dataclass
class Shop:
    """One merchant, a branch, and what the tests do there."""

    sut: ServiceUnderTest
    catalog: FakeCatalog
    payments: FakePayments
    business: Business
    branch: Branch
    owner: Principal

    def product(self, price: str = "75.25", *, stock: int = 10, tax_rate: str = "0.16") -> UUID:
        return self.catalog.add(Money.of(price, self.business.currency), stock=stock, tax_rate=tax_rate)

    def body(self, product: UUID, *, quantity: int = 2, method: str = "QR_DYNAMIC", **fields: Any) -> dict[str, Any]:
        items = fields.pop("items", [{"productId": str(product), "quantity": quantity}])
        if "payments" not in fields:
            fields["payment"] = {"method": method, **fields.get("payment", {})}
        return {"businessId": str(self.business.id), "items": items, **fields}

    async def post(
        self, body: dict[str, Any], *, key: str | None = None, caller: Principal | None = None
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.sut.client.post(
            "/api/v1/sales", json=body, headers=self.sut.as_(caller or self.owner, **headers)
        )

    async def sell(self, product: UUID, **fields: Any) -> dict[str, Any]:
        answer = await self.post(self.body(product, **fields))
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def get(self, sale_id: str | UUID) -> dict[str, Any]:
        answer = await self.sut.client.get(f"/api/v1/sales/{sale_id}", headers=self.sut.as_(self.owner))
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def sales(self) -> list[dict[str, Any]]:
        answer = await self.sut.client.get(
            "/api/v1/sales", params={"businessId": str(self.business.id)}, headers=self.sut.as_(self.owner)
        )
        return answer.json()["data"]

    async def cancel(self, sale_id: str, *, key: str | None = None, caller: Principal | None = None) -> httpx.Response:
        headers = self.sut.as_(caller or self.owner, **({"Idempotency-Key": key} if key else {}))
        return await self.sut.client.post(f"/api/v1/sales/{sale_id}/cancel", headers=headers)

    async def refund(
        self,
        sale_id: str,
        body: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        caller: Principal | None = None,
    ) -> httpx.Response:
        headers = self.sut.as_(caller or self.owner, **({"Idempotency-Key": key} if key else {}))
        return await self.sut.client.post(f"/api/v1/sales/{sale_id}/refund", json=body or {}, headers=headers)

    async def refunds(self, sale_id: str) -> list[dict[str, Any]]:
        answer = await self.sut.client.get(f"/api/v1/sales/{sale_id}/refunds", headers=self.sut.as_(self.owner))
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def paid(self, product: UUID, **fields: Any) -> dict[str, Any]:
        """A sale by QR that has been paid."""
        sale = await self.sell(product, **fields)
        await self.deliver(self.confirmed(sale["id"]))
        return await self.get(sale["id"])

    async def resume(self) -> None:
        """Let every lease run out, and the resumers do their rounds."""
        self.sut.clock.advance(timedelta(seconds=61))
        for job in self.sut.service.jobs:
            if job.name in {"sales-resume", "sales-refunds-resume"}:
                await job.run()

    async def deliver(self, event: Any, *, id: UUID | None = None) -> UUID:
        return await self.sut.deliver(QUEUE, event, id=id)

    async def events(self, sale_id: str | UUID) -> list[str]:
        return [event.type for event in await self.sut.published(aggregate_id=UUID(str(sale_id)))]

    def stock(self, product: UUID) -> tuple[int, int]:
        """(available, sold)"""
        return self.catalog.available[str(product)], self.catalog.sold[str(product)]

    def confirmed(self, sale_id: str, **changes: Any) -> PaymentConfirmed:
        payment = self.payments.of_sale(sale_id)
        payment.status, payment.version = "CONFIRMED", payment.version + 1
        fields = self._snapshot(payment) | {"confirmed_at": self.sut.clock.now()}
        return PaymentConfirmed(**(fields | changes))

    def failed(self, sale_id: str, reason: str = "expired", **changes: Any) -> PaymentFailed:
        payment = self.payments.of_sale(sale_id)
        payment.status, payment.failure_reason, payment.version = "FAILED", reason, payment.version + 1
        fields = self._snapshot(payment) | {"failure_reason": reason, "failed_at": self.sut.clock.now()}
        return PaymentFailed(**(fields | changes))

    def refunded(
        self, sale_id: str, amount: str, status: str = "REFUNDED", *, refund_id: UUID | None = None
    ) -> PaymentRefunded:
        payment = self.payments.of_sale(sale_id)
        payment.status, payment.version = status, payment.version + 1
        money = MoneyAmount(amount=amount, currency=self.business.currency)
        fields = self._snapshot(payment) | {"refund_id": refund_id or new_id(), "refunded_at": self.sut.clock.now()}
        return PaymentRefunded(**fields, refund_amount=money, refunded_amount=money)

    def _snapshot(self, payment: Any) -> dict[str, Any]:
        return {
            "aggregate_id": UUID(payment.id),
            "aggregate_version": payment.version,
            "business_id": UUID(payment.business_id),
            "sale_id": UUID(payment.sale_id),
            "amount": MoneyAmount.of(Money(payment.amount_minor, Currency(payment.currency))),
            "status": payment.status,
            "method": payment.method,
            "provider": payment.provider,
            "provider_ref": "ord_1",
            "country": self.business.country,
            "time_zone": self.business.time_zone,
            "created_at": self.sut.clock.now(),
        }


@pytest.fixture
def open_shop(sut: ServiceUnderTest, catalog: FakeCatalog, payments: FakePayments) -> Callable[..., Shop]:
    def open_one(country: Country = Country.MX) -> Shop:
        business = sut.directory.open_business(country=country)
        branch = sut.directory.open_branch(business.id)
        owner = make_principal(user_id=business.owner_id, owns=[business.id])
        return Shop(sut, catalog, payments, business, branch, owner)

    return open_one


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()
