from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from catalog.app import MIGRATIONS, build
from catalog.settings import CatalogSettings
from chassis.auth import Principal
from chassis.rpc.client import call
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from kernel import Country, new_id
from sqlalchemy import text


class Shop:
    """A business of one test alone, with its owner, a branch, and short ways to what tests do all the time."""

    def __init__(self, sut: ServiceUnderTest, inventory: inventory_pb2_grpc.InventoryStub, country: Country) -> None:
        self.sut = sut
        self.inventory = inventory
        self.business = sut.directory.open_business(country=country)
        self.branch = sut.directory.open_branch(self.business.id)
        self.owner = make_principal(owns=[self.business.id])

    def employee(self) -> Principal:
        return make_principal(works_at=[(self.business.id, [self.branch.id])])

    async def request(
        self, method: str, path: str, *, by: Principal | None = None, key: str | None = None, **options: Any
    ) -> httpx.Response:
        headers = self.sut.as_(by or self.owner, **({"Idempotency-Key": key} if key else {}))
        return await self.sut.client.request(method, f"/api/v1/products{path}", headers=headers, **options)

    async def create(self, *, by: Principal | None = None, key: str | None = None, **fields: Any) -> httpx.Response:
        body = {"businessId": str(self.business.id), "name": "Café de olla", "price": "89.50", **fields}
        return await self.request("POST", "", by=by, key=key, json=body)

    async def product(self, **fields: Any) -> dict[str, Any]:
        answer = await self.create(**fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def search(self, **query: Any) -> list[str]:
        answer = await self.request("GET", "", params={"businessId": str(self.business.id), **query})
        assert answer.status_code == 200, answer.text
        return [product["name"] for product in answer.json()["data"]]

    async def move(self, product_id: str, *, by: Principal | None = None, key: str | None = None, **fields: Any) -> Any:
        body = {"branchId": str(self.branch.id), **fields}
        return await self.request("POST", f"/{product_id}/stock-movements", by=by, key=key, json=body)

    async def level(self, product_id: str, branch_id: UUID | None = None) -> tuple[int, int]:
        """on hand, reserved"""
        answer = await self.request("GET", f"/{product_id}/stock")
        wanted = str(branch_id or self.branch.id)
        return next((it["onHand"], it["reserved"]) for it in answer.json()["data"] if it["branchId"] == wanted)

    async def reserve(
        self,
        lines: dict[str, int] | list[tuple[str, int]],
        /,
        *,
        sale: UUID | None = None,
        within: timedelta = timedelta(minutes=15),
        revive: bool = False,
        **changes: Any,
    ) -> inventory_pb2.Reservation:
        pairs = lines.items() if isinstance(lines, dict) else lines
        fields = {
            "business_id": str(self.business.id),
            "branch_id": str(self.branch.id),
            "sale_id": str(sale or new_id()),
            "lines": [inventory_pb2.ReserveLine(product_id=one, quantity=quantity) for one, quantity in pairs],
            "expires_at_ms": int((self.sut.clock.now() + within).timestamp() * 1000),
            "revive": revive,
        }
        return await call("catalog", self.inventory.Reserve(inventory_pb2.ReserveRequest(**{**fields, **changes})))

    async def commit(self, sale: UUID, **changes: Any) -> inventory_pb2.Reservation:
        fields = {"business_id": str(self.business.id), "sale_id": str(sale), **changes}
        return await call("catalog", self.inventory.Commit(inventory_pb2.CommitRequest(**fields)))

    async def release(self, sale: UUID, **changes: Any) -> inventory_pb2.Reservation:
        fields = {"business_id": str(self.business.id), "sale_id": str(sale), "reason": "canceled", **changes}
        return await call("catalog", self.inventory.Release(inventory_pb2.ReleaseRequest(**fields)))

    async def give_back(self, sale: UUID, goods: dict[str, int], /, *, id: UUID | None = None, **changes: Any) -> None:
        fields = {
            "business_id": str(self.business.id),
            "sale_id": str(sale),
            "return_id": str(id or new_id()),
            "lines": [inventory_pb2.ReserveLine(product_id=one, quantity=many) for one, many in goods.items()],
        }
        await call("catalog", self.inventory.Return(inventory_pb2.ReturnRequest(**{**fields, **changes})))

    async def sold(self, lines: dict[str, int]) -> UUID:
        """A sale that took these goods."""
        sale = new_id()
        await self.reserve(lines, sale=sale)
        await self.commit(sale)
        return sale

    async def movements(self, product_id: str, **query: Any) -> list[dict[str, Any]]:
        answer = await self.request("GET", f"/{product_id}/stock-movements", params=query)
        return list(answer.json()["data"])

    async def assert_books_balance(self) -> None:
        """on_hand = sum of movements; reserved = sum of open reservations: for every level of the business."""
        statement = text(
            "SELECT level.on_hand, level.reserved, level.allow_negative,"
            " (SELECT coalesce(sum(change), 0) FROM stock_movements AS movement WHERE movement.product_id ="
            "  level.product_id AND movement.branch_id = level.branch_id) AS moved,"
            " (SELECT coalesce(sum(quantity), 0) FROM reservation_lines AS line JOIN reservations AS reservation"
            "  USING (sale_id) WHERE line.product_id = level.product_id AND reservation.branch_id = level.branch_id"
            "  AND reservation.status = 'RESERVED') AS open"
            " FROM stock_levels AS level WHERE level.business_id = :business"
        )
        async with self.sut.kit.database.read() as session:
            rows = (await session.execute(statement, {"business": self.business.id})).all()
        assert rows
        for row in rows:
            assert row.on_hand == row.moved
            assert row.reserved == row.open
            assert row.reserved >= 0
            assert row.on_hand >= row.reserved or row.allow_negative


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
async def sut() -> AsyncIterator[ServiceUnderTest]:
    environment = {"CATALOG_DB_POOL_SIZE": "16"}
    async with running_service(
        "catalog", CatalogSettings, build, migrations=MIGRATIONS, environment=environment
    ) as service:
        yield service


@pytest.fixture(scope="session")
async def inventory(sut: ServiceUnderTest) -> inventory_pb2_grpc.InventoryStub:
    return inventory_pb2_grpc.InventoryStub(await sut.channel())


@pytest.fixture
def shop(sut: ServiceUnderTest, inventory: inventory_pb2_grpc.InventoryStub) -> Shop:
    return Shop(sut, inventory, Country.MX)


@pytest.fixture
def other_shop(sut: ServiceUnderTest, inventory: inventory_pb2_grpc.InventoryStub) -> Shop:
    return Shop(sut, inventory, Country.MX)


@pytest.fixture
def chilean_shop(sut: ServiceUnderTest, inventory: inventory_pb2_grpc.InventoryStub) -> Shop:
    return Shop(sut, inventory, Country.CL)


@pytest.fixture
def key() -> str:
    return f"key-{uuid4()}"
