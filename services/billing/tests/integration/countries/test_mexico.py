"""Sales become CFDIs of the twin of a PAC through billing as it runs: by name, and put together by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from billing.__main__ import MIGRATIONS
from billing.app import build
from billing.global_invoices.periods import period_of
from billing.invoices.models import Invoice
from billing.profiles.models import FiscalProfile
from billing.settings import BillingSettings
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCompleted, SaleRefunded
from fiscal.document import Periodicity
from fiscal.mx.provider import Mexico
from fiscal.mx.settings import MexicoSettings
from fiscal.registry import Tools
from kernel import Country, Money, new_id
from lxml import etree
from pydantic import SecretStr
from pypdf import PdfReader
from sqlalchemy import select, update
from twins.testing import Twins, ask, running_twins

pytestmark = pytest.mark.integration

RFC = "EKU9003173C9"
BUYER = {
    "name": "Xóchitl Casas Chávez",
    "taxId": "CACX7605101P8",
    "regime": "612",
    "use": "G03",
    "address": {"postalCode": "36257"},
}
CFDI = "{http://www.sat.gob.mx/cfd/4}"


@dataclass
class World:
    sut: ServiceUnderTest
    sales: Any
    twins: Twins
    business: Any
    branch: Any
    owner: Any

    async def sell(self, total: int = 17900) -> SaleCompleted:
        event: SaleCompleted = self.sales.sell(self.business.id, self.branch.id, country=Country.MX, total=total)
        await self.sut.deliver("billing.sales", event)
        while await self.sut.context.issuer.issue_due():
            pass
        return event

    async def refund(self, event: SaleCompleted, amount: int) -> None:
        money = Money(amount, event.total.currency)
        told = SaleRefunded(
            **event.model_dump(exclude={"items", "payments", "completed_at", "sold_at", "cash_session_id"}),
            refund_id=new_id(),
            amount=MoneyAmount.of(money),
            refunded_tax=MoneyAmount.of(money.included_tax(Country.MX.vat_rate)),
            refunded_total=MoneyAmount.of(money),
            parts=[],
            items=[],
            reason=None,
            refunded_at=self.sut.clock.now(),
        )
        await self.sut.deliver("billing.sales", told)

    async def look(self) -> None:
        """The job comes by, and everything that is due goes on."""
        await self.sut.context.global_invoices.look()
        await self.drain()

    async def drain(self) -> None:
        while await self.sut.context.transmitter.transmit_due():
            pass

    async def of(self, kind: str, event: SaleCompleted | None = None) -> list[Invoice]:
        """Newest first."""
        statement = select(Invoice).where(Invoice.business_id == self.business.id, Invoice.kind == kind)
        if event is not None:
            statement = statement.where(Invoice.for_sale_id == event.aggregate_id)
        async with self.sut.kit.database.read() as session:
            return list((await session.execute(statement.order_by(Invoice.id.desc()))).scalars())

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        url = f"/api/v1/invoices{path}"
        return await self.sut.client.request(method, url, json=body, headers=self.sut.as_(self.owner))

    async def named(self, event: SaleCompleted) -> Any:
        return await self.call("POST", "", {"saleId": str(event.aggregate_id), "customer": BUYER})

    async def pdf(self, invoice: Invoice) -> bytes:
        content: bytes = (await self.call("GET", f"/{invoice.id}/pdf")).content
        return content

    async def xml(self, invoice: Invoice) -> etree._Element:
        return etree.fromstring((await self.call("GET", f"/{invoice.id}/xml")).content)


@pytest.fixture(scope="module")
async def started(
    sales: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[ServiceUnderTest, Twins]]:
    objects: Path = tmp_path_factory.mktemp("mexico")
    async with running_twins() as twins:

        def opened(tools: Tools) -> Mexico:
            return Mexico(
                MexicoSettings(
                    sw_test_url=f"{twins.url}/sw",
                    sw_test_token=SecretStr("a token"),
                    finkok_test_url=f"{twins.url}/finkok",
                    sat_test_url=f"{twins.url}/sat",
                    timeout_seconds=20,
                ),
                tools,
            )

        environment = {
            "SALES_GRPC_TARGET": sales.target,
            "OBJECT_STORE_URL": objects.as_uri(),
            "PUBLIC_URL": "https://cobro.example",
        }
        async with running_service(
            "billing",
            BillingSettings,
            partial(build, countries={Country.MX: opened}),
            migrations=MIGRATIONS,
            environment=environment,
        ) as sut:
            yield sut, twins


@pytest.fixture
async def world(started: tuple[ServiceUnderTest, Twins], sales: Any) -> World:
    """A shop with a profile, since long ago."""
    sut, twins = started
    business = sut.directory.open_business(country=Country.MX)
    branch = sut.directory.open_branch(business.id)
    owner = make_principal(owns=[business.id])
    order = {"rfc": RFC, "name": "ESCUELA KEMPER URGATE"}
    made = (await ask(twins._session, "POST", f"{twins.url}/_control/mx/csd", order))["data"]
    profile = {
        "taxId": RFC,
        "legalName": "Escuela Kemper Urgate",
        "taxRegime": "601",
        "address": {"postalCode": "42501", "city": "Pachuca", "state": "Hidalgo"},
        "automaticIssue": True,
        "credentials": {name: made[name] for name in ("certificate", "key", "keyPassword")},
    }
    answer = await sut.client.put(f"/api/v1/fiscal-profiles/{business.id}", json=profile, headers=sut.as_(owner))
    assert answer.status_code == 200, answer.text
    assert made["keyPassword"] not in answer.text
    async with sut.kit.database.transaction() as unit:
        long_ago = sut.clock.now() - timedelta(days=365)
        await unit.session.execute(
            update(FiscalProfile).where(FiscalProfile.business_id == business.id).values(created_at=long_ago)
        )
    return World(sut, sales, twins, business, branch, owner)


async def test_an_invoice_by_name_is_stamped_printed_taken_back_and_canceled(world: World) -> None:
    sale = await world.sell()
    assert (await world.named(sale)).status_code == 201
    await world.drain()
    (invoice,) = await world.of("INVOICE", sale)
    assert (invoice.status, invoice.document_type, invoice.invoice_number) == ("ISSUED", "I", "F-1")
    root = await world.xml(invoice)
    assert root.get("Total") == str(sale.total.money)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(await world.pdf(invoice))).pages)
    assert invoice.fiscal_id is not None
    for wanted in (invoice.fiscal_id, "representaciónimpresadeunCFDI", RFC, BUYER["taxId"], root.get("Sello")):
        assert str(wanted) in "".join(text.split())

    await world.refund(sale, 5000)
    await world.drain()
    (note,) = await world.of("CREDIT_NOTE", sale)
    assert (note.status, note.document_type) == ("ISSUED", "E")
    credit = await world.xml(note)
    assert credit.get("Total") == "50.00"
    related = credit.find(f"{CFDI}CfdiRelacionados")
    assert related is not None
    assert (related.get("TipoRelacion"), related[0].get("UUID")) == ("01", invoice.fiscal_id)

    canceled = await world.call("POST", f"/{invoice.id}/cancel", {"motive": "02"})
    assert canceled.status_code == 202
    await world.drain()
    assert (await world.of("INVOICE", sale))[0].status == "CANCELED"


async def test_the_sales_of_a_day_are_one_global_invoice_without_those_by_name(world: World) -> None:
    first, second, by_name, given_back = [await world.sell(total) for total in (17900, 3334, 9998, 5000)]
    assert (await world.named(by_name)).status_code == 201
    await world.refund(second, 1000)
    await world.refund(given_back, 5000)
    await world.look()
    assert await world.of("GLOBAL") == []

    world.sut.clock.advance(timedelta(days=1))
    await world.look()
    await world.look()

    (day,) = await world.of("GLOBAL")
    assert (day.status, day.total) == ("ISSUED", Decimal("202.34"))
    root = await world.xml(day)
    assert root.get("Total") == "202.34"
    assert root.find(f"{CFDI}InformacionGlobal").attrib["Periodicidad"] == "01"
    assert len(root.findall(f"{CFDI}Conceptos/{CFDI}Concepto")) == 2

    # What is given back later has a credit note; once, however often the job comes by.
    await world.refund(first, 2500)
    await world.look()
    await world.look()
    (note,) = await world.of("CREDIT_NOTE")
    assert (note.status, note.total, note.for_sale_id) == ("ISSUED", Decimal("25.00"), first.aggregate_id)
    # And then it cannot be taken apart any more.
    refused = await world.named(second)
    assert (refused.status_code, refused.json()["code"]) == (409, "global_invoice_credited")
    refused = await world.call("POST", f"/{day.id}/cancel", {"motive": "02"})
    assert (refused.status_code, refused.json()["code"]) == (409, "global_invoice_credited")


async def test_who_asks_for_an_invoice_later_gets_it_and_the_day_is_made_anew(world: World) -> None:
    stays, leaves = await world.sell(10000), await world.sell(20000)
    world.sut.clock.advance(timedelta(days=1))
    await world.look()
    (old,) = await world.of("GLOBAL")
    assert old.total == Decimal("300.00")

    assert (await world.named(leaves)).status_code == 201
    await world.drain()
    await world.look()
    await world.look()

    new, old = await world.of("GLOBAL")
    assert (old.status, old.cancel_motive) == ("CANCELED", "04")
    assert (new.status, new.total) == ("ISSUED", Decimal("100.00"))
    (invoice,) = await world.of("INVOICE", leaves)
    assert (invoice.status, invoice.total) == ("ISSUED", Decimal("200.00"))
    (receipt,) = await world.of("RECEIPT", stays)
    assert receipt.global_id == new.id


@pytest.mark.parametrize(
    ("periodicity", "day", "first", "last"),
    [
        (Periodicity.DAILY, date(2026, 2, 3), date(2026, 2, 3), date(2026, 2, 3)),
        (Periodicity.WEEKLY, date(2026, 2, 1), date(2026, 2, 1), date(2026, 2, 1)),
        (Periodicity.WEEKLY, date(2026, 1, 30), date(2026, 1, 26), date(2026, 1, 31)),
        (Periodicity.FORTNIGHTLY, date(2026, 2, 15), date(2026, 2, 1), date(2026, 2, 15)),
        (Periodicity.FORTNIGHTLY, date(2026, 2, 16), date(2026, 2, 16), date(2026, 2, 28)),
        (Periodicity.MONTHLY, date(2028, 2, 3), date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_no_period_leaves_its_month(periodicity: Periodicity, day: date, first: date, last: date) -> None:
    period = period_of(periodicity, day)
    assert (period.first, period.last) == (first, last)
