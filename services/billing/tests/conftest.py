from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from billing.__main__ import MIGRATIONS
from billing.app import build
from billing.settings import BillingSettings
from chassis.auth import Principal
from chassis.directory import Branch, Business
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.tenancy import everyone
from chassis.testing.service import COMMON, ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCompleted, SaleItem
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc
from fiscal.testing.fake import FakeProvider
from kernel import CobroError, Country, FixedClock, Money, NotFound, new_id


class FakeSales(sales_pb2_grpc.SalesServicer):
    """The sales service over real gRPC: what a test sold, and errors on demand (`faults[sale_id] = […]`, in order)."""

    def __init__(self) -> None:
        self.sales: dict[str, sales_pb2.Sale] = {}
        self.faults: dict[str, list[CobroError]] = {}
        self.calls: list[str] = []
        self.target = ""

    async def GetSale(self, request: sales_pb2.GetSaleRequest, _: object) -> sales_pb2.Sale:
        self.calls.append(request.sale_id)
        if faults := self.faults.get(request.sale_id):
            raise faults.pop(0)
        sale = self.sales.get(request.sale_id)
        if sale is None or sale.business_id != request.business_id:
            raise NotFound("Sale not found", code="sale_not_found")
        return sale

    def sell(
        self,
        business_id: UUID,
        branch_id: UUID,
        *,
        total: int = 17900,
        country: Country = Country.MX,
        name: str = "Café de olla 500 g",
        customer: dict[str, str] | None = None,
    ) -> SaleCompleted:
        """Two of one product, known to sales; returns the event."""
        sale_id = new_id()
        amount = Money(total, country.currency)
        tax = amount.included_tax(country.vat_rate)
        now = FixedClock().now()
        zero = MoneyAmount.of(Money.zero(country.currency))
        self.sales[str(sale_id)] = sales_pb2.Sale(
            id=str(sale_id),
            business_id=str(business_id),
            branch_id=str(branch_id),
            status="COMPLETED",
            currency=country.currency.value,
            subtotal_minor=(amount - tax).minor,
            tax_minor=tax.minor,
            total_minor=total,
            payment_method="QR_DYNAMIC",
            created_at_ms=int(now.timestamp() * 1000),
            completed_at_ms=int(now.timestamp() * 1000),
            lines=[
                sales_pb2.SaleLine(
                    product_id=str(new_id()),
                    name=name,
                    sku="CAFE-500",
                    quantity=2,
                    unit_price_minor=total // 2,
                    tax_rate=str(country.vat_rate),
                    tax_minor=tax.minor,
                    total_minor=total,
                )
            ],
            customer=sales_pb2.Customer(**(customer or {"name": "Ana López", "phone": "+525511112222"})),
        )
        item = SaleItem(
            product_id=new_id(),
            name=name,
            quantity=2,
            unit_price=MoneyAmount.of(Money(total // 2, country.currency)),
            discount=zero,
            tax=MoneyAmount.of(tax),
            total=MoneyAmount.of(amount),
        )
        return SaleCompleted(
            aggregate_id=sale_id,
            aggregate_version=2,
            business_id=business_id,
            branch_id=branch_id,
            status="COMPLETED",
            payment_method="QR_DYNAMIC",
            transaction_id=new_id(),
            subtotal=MoneyAmount.of(amount - tax),
            discount=zero,
            tax=MoneyAmount.of(tax),
            total=MoneyAmount.of(amount),
            time_zone=country.time_zone,
            created_at=now,
            completed_at=now,
            items=[item],
        )


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
async def sales() -> AsyncIterator[FakeSales]:
    fake = FakeSales()
    service = RpcService(
        sales_pb2.DESCRIPTOR.services_by_name["Sales"].full_name, sales_pb2_grpc.add_SalesServicer_to_server, fake
    )
    server = RpcServer("sales", [service], ServiceIdentity("sales", COMMON["SERVICE_AUTH_SECRET"]))
    port = await server.start("127.0.0.1:0")
    fake.target = f"127.0.0.1:{port}"
    yield fake
    await server.stop(0)


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="session")
def authorities() -> dict[Country, FakeProvider]:
    """One country of each shape; Colombia has none."""
    shapes = {Country.MX: "native", Country.CL: "folios", Country.AR: "counter"}
    return {country: FakeProvider(shape, country) for country, shape in shapes.items()}


@pytest.fixture(scope="session")
async def sut(
    sales: FakeSales, objects: Path, authorities: dict[Country, FakeProvider]
) -> AsyncIterator[ServiceUnderTest]:
    environment: dict[str, Any] = {
        "SALES_GRPC_TARGET": sales.target,
        "OBJECT_STORE_URL": objects.as_uri(),
        "PUBLIC_URL": "https://cobro.example",
    }
    countries = {country: lambda _, fake=fake: fake for country, fake in authorities.items()}
    async with running_service(
        "billing", BillingSettings, partial(build, countries=countries), migrations=MIGRATIONS, environment=environment
    ) as service:
        yield service


@dataclass(frozen=True)
class Shop:
    """A business with one branch, and its owner."""

    business: Business
    branch: Branch
    owner: Principal


OpenShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def open_shop(sut: ServiceUnderTest) -> OpenShop:
    def opened(country: Country = Country.MX) -> Shop:
        business = sut.directory.open_business(country=country)
        return Shop(business, sut.directory.open_branch(business.id), make_principal(owns=[business.id]))

    return opened


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


@pytest.fixture
def issued(sut: ServiceUnderTest, sales: FakeSales) -> Callable[..., Awaitable[tuple[SaleCompleted, dict[str, Any]]]]:
    """Sell, number and issue; gives the event and the document as the API shows it."""

    async def issue(shop: Shop, **sale: Any) -> tuple[SaleCompleted, dict[str, Any]]:
        event = sales.sell(shop.business.id, shop.branch.id, **sale)
        await sut.deliver("billing.sales", event)
        while await sut.context.issuer.issue_due():
            pass
        answer = await sut.client.get(
            "/api/v1/invoices", params={"saleId": str(event.aggregate_id)}, headers=sut.as_(shop.owner)
        )
        return event, answer.json()["data"][0]

    return issue
