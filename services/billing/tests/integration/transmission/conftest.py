from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from billing.invoices.models import Invoice
from chassis.testing.service import ServiceUnderTest
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCompleted, SaleRefunded
from fiscal.testing.fake import FakeAuthority, FakeProvider
from kernel import Country, Money, new_id
from sqlalchemy import select

INVOICES = "/api/v1/invoices"
BUYER = {"name": "Xóchitl Secreta", "taxId": "XOSE900101AB1", "regime": "616", "use": "S01"}


@dataclass
class Issuing:
    """A shop with a fiscal profile, its authority, and hands to make things happen."""

    sut: ServiceUnderTest
    sales: Any
    shop: Any
    authority: FakeAuthority

    async def sell(self, **sale: Any) -> SaleCompleted:
        event = self.sales.sell(self.shop.business.id, self.shop.branch.id, country=self.shop.business.country, **sale)
        await self.sut.deliver("billing.sales", event)
        return event

    async def drain(self) -> None:
        while await self.sut.context.transmitter.transmit_due():
            pass

    async def of(self, event: SaleCompleted) -> list[Invoice]:
        async with self.sut.kit.database.read() as session:
            statement = select(Invoice).where(Invoice.for_sale_id == event.aggregate_id).order_by(Invoice.created_at)
            return list((await session.execute(statement)).scalars())

    async def one(self, event: SaleCompleted) -> Invoice:
        (invoice,) = await self.of(event)
        return invoice

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.sut.client.post(f"{INVOICES}{path}", json=body, headers=self.sut.as_(self.shop.owner))

    async def get(self, path: str) -> Any:
        return await self.sut.client.get(f"{INVOICES}{path}", headers=self.sut.as_(self.shop.owner))

    def refund(self, event: SaleCompleted, amount: int, *, by_item: bool = False) -> SaleRefunded:
        money = Money(amount, event.total.currency)
        tax = money.included_tax(self.shop.business.country.vat_rate)
        item = {
            "product_id": self.sales.sales[str(event.aggregate_id)].lines[0].product_id,
            "name": event.items[0].name,
            "quantity": 1,
            "amount": MoneyAmount.of(money),
            "tax": MoneyAmount.of(tax),
            "restocked": True,
        }
        return SaleRefunded(
            **event.model_dump(exclude={"items", "payments", "completed_at", "sold_at", "cash_session_id"}),
            refund_id=new_id(),
            amount=MoneyAmount.of(money),
            refunded_tax=MoneyAmount.of(tax),
            refunded_total=MoneyAmount.of(money),
            parts=[],
            items=[item] if by_item else [],
            reason=None,
            refunded_at=self.sut.clock.now(),
        )


def profile(**changes: Any) -> dict[str, Any]:
    secret = base64.b64encode(b"the certificate of nobody").decode()
    values: dict[str, Any] = {
        "taxId": "eku9003173c9",
        "legalName": "Escuela Kemper Urgate",
        "taxRegime": "601",
        "automaticIssue": True,
        "credentials": {"certificate": secret, "pin": "a secret that is never told"},
    }
    return values | changes


@pytest.fixture
def issuing(
    sut: ServiceUnderTest, sales: Any, open_shop: Any, authorities: dict[Country, FakeProvider]
) -> Callable[..., Awaitable[Issuing]]:
    """Of the country's shape: MX native, CL folios, AR counter. Each with an authority that has seen nothing."""

    async def opened(country: Country = Country.MX, **changes: Any) -> Issuing:
        shop = open_shop(country)
        fake = authorities[country]
        fake.authority = FakeAuthority(later=fake.capabilities.async_reply)
        if country is Country.CL and "numbering" not in changes:
            changes["numbering"] = [{"series": series, "from": "1", "to": "500"} for series in ("T", "F", "N")]
        answer = await sut.client.put(
            f"/api/v1/fiscal-profiles/{shop.business.id}", json=profile(**changes), headers=sut.as_(shop.owner)
        )
        assert answer.status_code == 200, answer.text
        return Issuing(sut, sales, shop, fake.authority)

    return opened
