"""A merchant with endpoints, and the server that answers there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web
from chassis.auth import Principal
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events import DomainEvent, MoneyAmount
from contracts.events.auth import BusinessDeleted
from contracts.events.payments import PaymentConfirmed
from kernel import Country, Currency, Money, new_id

BASE = "/api/v1/webhook-endpoints"
QUEUE = "webhooks.merchants"


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """A merchant's server. answer: what to do with a request, by its path; 200 where nothing is said."""

    url: str
    requests: list[Request] = field(default_factory=list)
    answers: dict[str, Handler] = field(default_factory=dict)

    def at(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def says(self, path: str, status: int, text: str = "", **headers: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(
                status=status, text=text, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        self.answers[path] = answer

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(Request(request.path, dict(request.headers), await request.read()))
        handler = self.answers.get(request.path)
        return await handler(request) if handler else web.Response(text="thanks")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver("")
    runner = web.ServerRunner(web.Server(receiver), shutdown_timeout=0)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


def confirmed(business_id: UUID, *, payment_id: UUID | None = None, version: int = 2) -> PaymentConfirmed:
    return PaymentConfirmed.model_validate(
        {
            "aggregate_id": payment_id or new_id(),
            "aggregate_version": version,
            "business_id": business_id,
            "sale_id": None,
            "amount": MoneyAmount.of(Money.of("301.00", Currency.MXN)),
            "status": "CONFIRMED",
            "method": "QR_DYNAMIC",
            "provider": "conekta",
            "provider_ref": "ord_1",
            "country": Country.MX,
            "time_zone": "America/Mexico_City",
            "created_at": "2026-01-15T18:00:00Z",
            "confirmed_at": "2026-01-15T18:01:29Z",
        }
    )


@dataclass
class Shop:
    """A business, its owner, and what they do."""

    service: ServiceUnderTest
    receiver: Receiver
    business_id: UUID
    owner: Principal

    def headers(self, principal: Principal | None = None) -> dict[str, str]:
        return self.service.as_(principal or self.owner)

    async def call(
        self, method: str, path: str = "", *, by: Principal | None = None, key: str | None = None, **kwargs: Any
    ) -> httpx.Response:
        headers = self.headers(by) | ({"Idempotency-Key": key} if key else {})
        return await self.service.client.request(method, f"{BASE}{path}", headers=headers, **kwargs)

    def body(self, **fields: Any) -> dict[str, Any]:
        path = f"/{new_id().hex}"
        return {
            "businessId": str(self.business_id),
            "url": f"{self.receiver.url}{path}",
            "events": ["payment.confirmed"],
            **fields,
        }

    async def endpoint(self, **fields: Any) -> dict[str, Any]:
        """A new one, with its `secret`, and the `path` its server sees."""
        answer = await self.call("POST", json=self.body(**fields))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()["data"]
        return {**made, "path": httpx.URL(made["url"]).path}

    async def happens(self, event: DomainEvent | None = None, *, id: UUID | None = None) -> UUID:
        return await self.service.deliver(QUEUE, event or confirmed(self.business_id), id=id)

    async def couriers_run(self) -> None:
        """Everything that is due, in both lanes."""
        while True:
            if not sum([await courier.deliver_due() for courier in self.service.context.couriers]):
                return

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def deliveries(self, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = await self.get(f"/{endpoint['id']}/deliveries")
        return found

    async def delivery(self, endpoint: dict[str, Any]) -> dict[str, Any]:
        """The only one, with its tries."""
        [only] = await self.deliveries(endpoint)
        found: dict[str, Any] = await self.get(f"/{endpoint['id']}/deliveries/{only['id']}")
        return found

    async def closes(self) -> None:
        business = self.service.directory.businesses[self.business_id]
        deleted = BusinessDeleted(
            aggregate_id=self.business_id,
            aggregate_version=9,
            business_id=self.business_id,
            owner_id=business.owner_id,
            country=business.country,
            currency=business.currency,
            time_zone=business.time_zone,
            is_active=False,
        )
        await self.service.deliver(QUEUE, deleted)


@pytest.fixture
async def open_shop(webhooks: ServiceUnderTest, receiver: Receiver) -> AsyncIterator[Callable[[], Shop]]:
    """Shops that close at the end, so that what they have waiting meets no other test."""
    shops = []

    def open_one() -> Shop:
        business = webhooks.directory.open_business()
        shops.append(Shop(webhooks, receiver, business.id, make_principal(owns=[business.id])))
        return shops[-1]

    yield open_one
    for shop in shops:
        await shop.closes()


@pytest.fixture
def shop(open_shop: Callable[[], Shop]) -> Shop:
    return open_shop()
