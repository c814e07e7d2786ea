import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from chassis.auth import Principal
from chassis.directory import Business
from chassis.runtime import Kit, Service
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events.webhooks import WebhookReceived
from kernel import Clock, Country, FixedClock, new_id
from payments.__main__ import MIGRATIONS
from payments.app import compose
from payments.context import PaymentsContext
from payments.intents import repository
from payments.intents.models import Payment, payments
from payments.settings import PaymentsSettings
from psp.argentina.mercadopago.adapter import MercadoPagoAdapter
from psp.argentina.mercadopago.settings import MercadoPagoSettings
from psp.chile.khipu.adapter import KhipuAdapter
from psp.chile.khipu.settings import KhipuSettings
from psp.colombia.payu.adapter import PayuAdapter
from psp.colombia.payu.settings import PayuSettings
from psp.mexico.conekta.adapter import ConektaAdapter
from psp.mexico.conekta.settings import ConektaSettings
from psp.provider import PaymentProvider
from psp.registry import ProviderRegistry
from sqlalchemy import Executable, text, update
from twins.khipu.settings import KhipuTwinSettings
from twins.mercadopago.settings import MercadoPagoTwinSettings
from twins.payu.settings import PayuTwinSettings
from twins.testing import Twins, running_twins


@dataclass
class Till:
    """A merchant at work: one business, its owner, and the requests they send."""

    sut: ServiceUnderTest
    twins: Twins
    business: Business
    owner: Principal
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def ctx(self) -> PaymentsContext:
        context = self.sut.context
        assert isinstance(context, PaymentsContext)
        return context

    async def post(
        self, path: str, body: Any, *, key: str | None = None, by: Principal | None = None
    ) -> httpx.Response:
        headers = self.sut.as_(by or self.owner) | ({"Idempotency-Key": key} if key else {})
        return await self.sut.client.post(f"/api/v1/payments{path}", json=body, headers=headers)

    async def get(self, path: str = "", *, by: Principal | None = None, **params: Any) -> httpx.Response:
        return await self.sut.client.get(
            f"/api/v1/payments{path}", params=params, headers=self.sut.as_(by or self.owner)
        )

    def wish(self, **fields: Any) -> dict[str, Any]:
        return {"businessId": str(self.business.id), "amount": "150.50", "method": "QR_DYNAMIC", **fields}

    async def create(self, *, key: str | None = None, **fields: Any) -> dict[str, Any]:
        answer = await self.post("/intent", self.wish(**fields), key=key)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()["data"]
        return created

    async def paid(self, **fields: Any) -> dict[str, Any]:
        """A payment the buyer has paid, and of which we have heard."""
        payment = await self.create(**fields)
        await self.twins.pay(payment["id"])
        await self.webhook(payment)
        return await self.show(payment["id"])

    async def arrive(self, payment: dict[str, Any]) -> None:
        """The buyer's browser posts the form our page holds; a payment without such a form needs no arrival."""
        path = urlsplit(payment["paymentLink"] or "").path
        if not path.startswith("/api/v1/checkout/"):
            return
        page = (await self.sut.client.get(path)).text
        [action] = re.findall(r'<form method="post" action="([^"]+)"', page)
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            answer = await browser.post(
                unescape(action), data={unescape(name): unescape(value) for name, value in fields}
            )
        assert answer.status_code == 200

    def at(self, country: Country) -> "Till":
        """The same, of a business in another country."""
        business = self.sut.directory.open_business(country=country)
        return replace(self, business=business, owner=make_principal(owns=[business.id]))

    async def show(self, payment_id: str) -> dict[str, Any]:
        answer = await self.get(f"/{payment_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found

    async def refund(self, payment: dict[str, Any], *, key: str | None = None, **fields: Any) -> httpx.Response:
        return await self.post(f"/{payment['id']}/refund", fields, key=key)

    async def timeline(self, payment_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(f"/{payment_id}/timeline")).json()["data"]
        return found

    async def webhook(
        self, payment: dict[str, Any], *, provider_ref: str | None = None, event_id: UUID | None = None
    ) -> UUID:
        """What the webhooks service publishes when the provider has spoken of this payment."""
        return await self.sut.deliver(
            "payments.webhooks",
            self.notification(provider_ref or payment["providerRef"], payment["id"]),
            id=event_id,
        )

    def notification(self, provider_ref: str | None, our_reference: str | None) -> WebhookReceived:
        return WebhookReceived(
            aggregate_id=new_id(),
            aggregate_version=1,
            webhook_event_id=new_id(),
            provider="conekta",
            provider_event_id=str(new_id()),
            event_type="order.paid",
            provider_ref=provider_ref,
            our_reference=our_reference,
        )

    async def types(self, payment_id: str) -> list[str]:
        """The types of the payment's events, oldest first."""
        return [event.type for event in await self.sut.published(aggregate_id=UUID(payment_id))]

    async def row(self, payment_id: str | UUID) -> Payment:
        found = await repository.find(self.ctx.database, UUID(str(payment_id)))
        assert found is not None
        return found

    async def set(self, payment_id: str | UUID, **columns: Any) -> None:
        """What only time, or another process, would have done."""
        await self.run(update(payments).where(payments.c.id == UUID(str(payment_id))).values(**columns))

    async def expire_leases(self) -> None:
        """As if a minute had passed since whoever holds them died."""
        await self.run(text("UPDATE idempotency_keys SET lease_until = now() WHERE status IS NULL"))

    async def run(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        """A statement of the database's administrator."""
        async with self.ctx.database.transaction() as unit:
            result = await unit.session.execute(statement, parameters)
            return result.all() if result.returns_rows else []


@pytest.fixture(autouse=True)
def as_everyone() -> Iterator[None]:
    """For jobs that a test runs, and its looks at tables. Requests, events and calls have scopes of their own."""
    with everyone():
        yield


@pytest.fixture(scope="session")
async def twins() -> AsyncIterator[Twins]:
    # A refund that takes its time is under way until a test says otherwise.
    async with running_twins(
        mercadopago=MercadoPagoTwinSettings(refund_seconds=1e9),
        khipu=KhipuTwinSettings(refund_seconds=1e9),
        payu=PayuTwinSettings(refund_seconds=1e9),
    ) as running:
        yield running


def _providers(clock: Clock, twins: Twins, timeout: float, khipu_notify_url: str | None) -> list[PaymentProvider]:
    settings = ConektaSettings(api_url=twins.conekta_url, api_key=twins.api_key, timeout_seconds=timeout)  # type: ignore[arg-type]
    own = MercadoPagoTwinSettings()
    argentina = MercadoPagoSettings(
        api_url=twins.provider("mercadopago").api_url,
        access_token=own.access_token,
        external_pos_id=own.external_pos_id,
        timeout_seconds=timeout,
    )
    chile = KhipuSettings(
        api_url=twins.provider("khipu").api_url,
        api_key=KhipuTwinSettings().api_key,
        notify_url=khipu_notify_url,
        timeout_seconds=timeout,
    )
    merchant, payu = PayuTwinSettings(), twins.provider("payu").api_url
    colombia = PayuSettings(
        api_url=payu,
        checkout_url=f"{payu}/ppp-web-gateway-payu/",
        api_key=merchant.api_key,
        api_login=merchant.api_login,
        merchant_id=str(merchant.merchant_id),
        account_id=str(merchant.account_id),
        timeout_seconds=timeout,
        first_reading_seconds=20,
        reading_interval_seconds=90,
    )
    return [
        ConektaAdapter.open(clock, settings),
        MercadoPagoAdapter.open(clock, argentina),
        KhipuAdapter.open(clock, chile),
        PayuAdapter.open(clock, colombia),
    ]


Serve = Callable[..., AbstractAsyncContextManager[ServiceUnderTest]]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """The service over the adapters of these twins: `async with serve(twins, timeout=4) as sut`."""

    def serving(twins: Twins, *, timeout: float, khipu_notify_url: str | None = None) -> Any:
        async def build(kit: Kit[PaymentsSettings]) -> Service:
            # The twin lives in the present, and refuses an expiry that has passed.
            kit.clock = FixedClock(datetime.now(UTC))
            return compose(kit, ProviderRegistry(_providers(kit.clock, twins, timeout, khipu_notify_url)))

        return running_service("payments", PaymentsSettings, build, migrations=MIGRATIONS)

    return serving


@pytest.fixture(scope="session")
async def sut(twins: Twins, serve: Serve) -> AsyncIterator[ServiceUnderTest]:
    async with serve(twins, timeout=4) as running:
        yield running


@pytest.fixture(scope="session")
def new_till() -> type[Till]:
    return Till


@pytest.fixture
async def till(sut: ServiceUnderTest, twins: Twins) -> AsyncIterator[Till]:
    # The clock stands still between tests, the twin's does not.
    behind = datetime.now(UTC) - sut.clock.now()
    sut.clock.advance(max(behind, timedelta()))
    business = sut.directory.open_business(country=Country.MX)
    yield Till(sut, twins, business, make_principal(owns=[business.id]))
    for provider in ("conekta", "mercadopago", "khipu", "payu"):
        await twins.clear_faults(provider)
