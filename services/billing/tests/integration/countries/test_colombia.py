"""From a completed sale to a POS document that the DIAN's twin has validated, and back by an adjustment note."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from billing.__main__ import MIGRATIONS
from billing.app import build
from billing.invoices.models import Invoice
from billing.settings import BillingSettings
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCompleted, SaleRefunded
from fiscal.co.provider import ColombiaProvider
from fiscal.co.settings import ColombiaSettings
from fiscal.registry import Tools
from kernel import Country, Money, new_id
from pypdf import PdfReader
from sqlalchemy import select
from twins.testing import ProviderTwin, ask, running_twins

pytestmark = pytest.mark.integration

NIT = "900123456-8"


@dataclass
class World:
    sut: ServiceUnderTest
    sales: Any
    dian: ProviderTwin
    business: Any
    branch: Any
    owner: Any

    async def sell(self, total: int = 3_780_000) -> SaleCompleted:
        event: SaleCompleted = self.sales.sell(self.business.id, self.branch.id, country=Country.CO, total=total)
        await self.sut.deliver("billing.sales", event)
        return event

    async def refund(self, event: SaleCompleted, amount: int) -> None:
        money = Money(amount, event.total.currency)
        told = SaleRefunded(
            **event.model_dump(exclude={"items", "payments", "completed_at", "sold_at", "cash_session_id"}),
            refund_id=new_id(),
            amount=MoneyAmount.of(money),
            refunded_tax=MoneyAmount.of(money.included_tax(Country.CO.vat_rate)),
            refunded_total=MoneyAmount.of(money),
            parts=[],
            items=[],
            reason=None,
            refunded_at=self.sut.clock.now(),
        )
        await self.sut.deliver("billing.sales", told)

    async def settle(self) -> None:
        while await self.sut.context.transmitter.transmit_due():
            pass

    async def of(self, event: SaleCompleted) -> list[Invoice]:
        async with self.sut.kit.database.read() as session:
            statement = select(Invoice).where(Invoice.for_sale_id == event.aggregate_id)
            found = list((await session.execute(statement)).scalars())
        # Made at the same time by a clock that stands still.
        return sorted(found, key=lambda invoice: invoice.kind == "CREDIT_NOTE")

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        url = f"/api/v1/invoices{path}"
        return await self.sut.client.request(method, url, json=body, headers=self.sut.as_(self.owner))


@pytest.fixture(scope="module")
async def world(sales: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_twins() as twins:

        def opened(tools: Tools) -> ColombiaProvider:
            return ColombiaProvider(tools, ColombiaSettings(test_url=f"{twins.url}/dian", timeout_seconds=3))

        environment = {
            "SALES_GRPC_TARGET": sales.target,
            "OBJECT_STORE_URL": tmp_path_factory.mktemp("dian").as_uri(),
            "PUBLIC_URL": "https://cobro.example",
        }
        async with running_service(
            "billing",
            BillingSettings,
            partial(build, countries={Country.CO: opened}),
            migrations=MIGRATIONS,
            environment=environment,
        ) as sut:
            business = sut.directory.open_business(country=Country.CO)
            branch = sut.directory.open_branch(business.id)
            world = World(sut, sales, twins.provider("dian"), business, branch, make_principal(owns=[business.id]))
            asked = await ask(twins._session, "POST", f"{twins.url}/_control/dian/taxpayers", {"nit": NIT})
            given = asked["data"]
            profile = {
                "taxId": NIT,
                "legalName": "Tienda La Esquina S.A.S.",
                "address": {"street": "Cra. 7 # 71-21", "city": "Bogotá", "cityCode": "11001", "state": "Bogotá D.C."},
                "automaticIssue": True,
                "fields": {"softwareId": given["softwareId"], "invoicePrefix": "SETP", "posPrefix": "POS"},
                "credentials": {
                    "certificate": given["certificate"],
                    "certificatePassword": given["password"],
                    "softwarePin": given["pin"],
                },
                "numbering": given["ranges"],
            }
            answer = await sut.client.put(
                f"/api/v1/fiscal-profiles/{business.id}", json=profile, headers=sut.as_(world.owner)
            )
            assert answer.status_code == 200, answer.text
            for secret in (given["password"], given["certificate"][100:160], given["ranges"][0]["technicalKey"]):
                assert secret not in answer.text
            yield world


async def test_a_sale_is_validated_printed_and_taken_back(world: World) -> None:
    event = await world.sell()
    await world.settle()
    (ticket,) = await world.of(event)
    assert (ticket.status, ticket.document_type, ticket.invoice_number) == ("ISSUED", "20", "POS1")
    assert ticket.fiscal_id is not None
    assert ticket.fiscal_id == ticket.local_fiscal_id
    xml = (await world.call("GET", f"/{ticket.id}/xml")).content.decode()
    assert f">{ticket.fiscal_id}</cbc:UUID>" in xml
    assert '<cbc:PayableAmount currencyID="COP">37800.00<' in xml
    for layout in ("a4", "ticket"):
        pdf = await world.call("GET", f"/{ticket.id}/pdf?format={layout}")
        text = "".join(PdfReader(BytesIO(pdf.content)).pages[0].extract_text().split())
        for expected in (ticket.fiscal_id, "POS1", "18760000002", "ValidaciónDIAN", "900123456-8"):
            assert expected.lower() in text.lower(), (layout, expected)

    await world.refund(event, 1_890_000)
    await world.settle()
    _, note = await world.of(event)
    assert (note.status, note.document_type, note.invoice_number) == ("ISSUED", "94", "NA1")
    note_xml = (await world.call("GET", f"/{note.id}/xml")).content.decode()
    assert f"{ticket.fiscal_id}</cbc:UUID>" in note_xml
    assert "<cbc:ResponseCode>1<" in note_xml


async def test_a_void_is_a_note_over_all_of_it(world: World) -> None:
    event = await world.sell()
    buyer = {"name": "Ana López", "taxId": "800197268-4"}
    made = await world.call("POST", "", {"saleId": str(event.aggregate_id), "customer": buyer})
    assert made.status_code in (201, 202), made.text
    await world.settle()
    (invoice,) = await world.of(event)
    assert (invoice.status, invoice.document_type, invoice.invoice_number) == ("ISSUED", "01", "SETP1")
    canceled = await world.call("POST", f"/{invoice.id}/cancel", {"motive": "2"})
    assert canceled.status_code == 202, canceled.text
    await world.settle()
    invoice, note = await world.of(event)
    assert (invoice.status, note.status, note.document_type) == ("CANCELED", "ISSUED", "91")


async def test_an_answer_that_is_lost_is_asked_for_and_counted_once(world: World) -> None:
    await world.dian.fault("timeout_after_charging", operation="SendBillSync")
    event = await world.sell()
    await world.settle()
    (ticket,) = await world.of(event)
    assert (ticket.status, ticket.fiscal_state) == ("PENDING", "unknown")
    world.sut.clock.advance(timedelta(seconds=6))
    await world.settle()
    (ticket,) = await world.of(event)
    assert ticket.status == "ISSUED"
    shown = await world.dian._ask("GET", f"/documents/{ticket.fiscal_id}")
    assert shown["data"]["times"] == 1
