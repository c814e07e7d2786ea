"""From a completed sale to a boleta that SII's twin accepts and back by a credit note, through billing as it runs."""

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
from fiscal.cl.provider import ChileProvider
from fiscal.cl.settings import ChileSettings
from fiscal.registry import Tools
from kernel import Country, Money, new_id
from pypdf import PdfReader
from sqlalchemy import select
from twins.testing import ProviderTwin, Twins, ask, running_twins

pytestmark = pytest.mark.integration

RUT = "76192083-9"
BUYER = {
    "name": "Comercial Ñandú Ltda.",
    "taxId": "77.777.777-7",
    "use": "Venta al por menor",
    "address": {"street": "Av. Providencia 1234", "district": "Providencia", "city": "Santiago"},
}


@dataclass
class World:
    sut: ServiceUnderTest
    sales: Any
    twins: Twins
    sii: ProviderTwin
    business: Any
    branch: Any
    owner: Any

    async def control(self, path: str, body: Any) -> Any:
        return await ask(self.twins._session, "POST", f"{self.twins.url}/_control/sii{path}", body)

    async def sell(self, total: int = 17900) -> SaleCompleted:
        event: SaleCompleted = self.sales.sell(self.business.id, self.branch.id, country=Country.CL, total=total)
        await self.sut.deliver("billing.sales", event)
        return event

    async def refund(self, event: SaleCompleted, amount: int) -> None:
        money = Money(amount, event.total.currency)
        told = SaleRefunded(
            **event.model_dump(exclude={"items", "payments", "completed_at", "sold_at", "cash_session_id"}),
            refund_id=new_id(),
            amount=MoneyAmount.of(money),
            refunded_tax=MoneyAmount.of(money.included_tax(Country.CL.vat_rate)),
            refunded_total=MoneyAmount.of(money),
            parts=[],
            items=[],
            reason=None,
            refunded_at=self.sut.clock.now(),
        )
        await self.sut.deliver("billing.sales", told)

    async def settle(self) -> None:
        """Sent, decided and asked for, with what follows from it."""
        for _ in range(4):
            while await self.sut.context.transmitter.transmit_due():
                pass
            self.sut.clock.advance(timedelta(seconds=11))

    async def of(self, event: SaleCompleted) -> list[Invoice]:
        async with self.sut.kit.database.read() as session:
            statement = select(Invoice).where(Invoice.for_sale_id == event.aggregate_id).order_by(Invoice.created_at)
            return list((await session.execute(statement)).scalars())

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await self.sut.client.request(method, f"/api/v1{path}", json=body, headers=self.sut.as_(self.owner))


@pytest.fixture(scope="module")
async def world(sales: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_twins() as twins:
        url = f"{twins.url}/sii"

        def opened(tools: Tools) -> ChileProvider:
            addresses = {"test_boleta_url": url, "test_boleta_upload_url": url, "test_dte_url": url}
            return ChileProvider(ChileSettings(**addresses, timeout_seconds=2), tools)

        environment = {
            "SALES_GRPC_TARGET": sales.target,
            "OBJECT_STORE_URL": tmp_path_factory.mktemp("sii").as_uri(),
            "PUBLIC_URL": "https://cobro.example",
        }
        async with running_service(
            "billing",
            BillingSettings,
            partial(build, countries={Country.CL: opened}),
            migrations=MIGRATIONS,
            environment=environment,
        ) as sut:
            business = sut.directory.open_business(country=Country.CL)
            branch = sut.directory.open_branch(business.id)
            owner = make_principal(owns=[business.id])
            world = World(sut, sales, twins, twins.provider("sii"), business, branch, owner)
            await world.control("/decisions", {"seconds": 0})
            made = await world.control("/certificates", {"rut": "12345678-5"})
            day = sut.clock.now().date().isoformat()
            cafs = [
                await world.control("/cafs", {"rut": RUT, "type": kind, "first": 11, "count": 10, "day": day})
                for kind in (33, 39, 61)
            ]
            profile = {
                "taxId": "76.192.083-9",
                "legalName": "Panadería Ñuñoa SpA",
                "automaticIssue": True,
                "address": {"street": "Irarrázaval 100", "district": "Ñuñoa", "city": "Santiago"},
                "fields": {
                    "activity": "Panadería",
                    "activityCode": "472102",
                    "resolutionDate": "2014-08-22",
                    "resolutionNumber": "0",
                    "office": "Santiago Oriente",
                },
                "credentials": {"certificate": made["certificate"], "certificatePassword": made["password"]},
                "numbering": cafs,
            }
            answer = await world.call("PUT", f"/fiscal-profiles/{business.id}", profile)
            assert answer.status_code == 200, answer.text
            shown = answer.json()["data"]
            assert [(item["series"], item["first"], item["left"]) for item in shown["numbering"]] == [
                ("33", 11, 10),
                ("39", 11, 10),
                ("61", 11, 10),
            ]
            assert cafs[0]["caf"][200:300] not in answer.text
            assert made["password"] not in answer.text
            yield world


async def test_a_sale_is_accepted_printed_and_taken_back(world: World) -> None:
    event = await world.sell()
    await world.settle()
    (ticket,) = await world.of(event)
    assert (ticket.status, ticket.document_type, ticket.number, ticket.fiscal_id) == ("ISSUED", "39", 11, "T39F11")
    assert ticket.authority_ref
    xml = (await world.call("GET", f"/invoices/{ticket.id}/xml")).content
    assert b"<MntNeto>15042</MntNeto><IVA>2858</IVA><MntTotal>17900</MntTotal>" in xml
    for layout in ("a4", "ticket"):
        pdf = await world.call("GET", f"/invoices/{ticket.id}/pdf?format={layout}")
        text = " ".join(PdfReader(BytesIO(pdf.content)).pages[0].extract_text().split())
        for wanted in ("R.U.T.: 76.192.083-9", "BOLETA ELECTRÓNICA", "Nº 11", "S.I.I. - SANTIAGO ORIENTE"):
            assert wanted in text, (layout, wanted)
        for wanted in ("Timbre Electrónico SII", "Res. 0 de 2014", "Verifique documento: www.sii.cl", "2.858"):
            assert wanted in text, (layout, wanted)

    await world.refund(event, 5000)
    await world.settle()
    _, note = await world.of(event)
    assert (note.kind, note.status, note.document_type) == ("CREDIT_NOTE", "ISSUED", "61")
    written = (await world.call("GET", f"/invoices/{note.id}/xml")).content
    assert b"<TpoDocRef>39</TpoDocRef><FolioRef>11</FolioRef>" in written
    assert b"<CodRef>3</CodRef>" in written

    canceled = await world.call("POST", f"/invoices/{ticket.id}/cancel", {"motive": "1"})
    assert canceled.status_code == 202, canceled.text
    await world.settle()
    ticket, _, rest = await world.of(event)
    # Of what was left: to SII only the whole amount is a document voided.
    assert b"<CodRef>3</CodRef>" in (await world.call("GET", f"/invoices/{rest.id}/xml")).content
    assert (ticket.status, rest.kind, rest.status, str(rest.total)) == ("CANCELED", "CREDIT_NOTE", "ISSUED", "12900.00")


async def test_a_buyer_who_asks_gets_a_factura(world: World) -> None:
    # Nobody has sent the ticket yet: the sale becomes what the buyer wants.
    event = await world.sell(5000)
    asked = await world.call("POST", "/invoices", {"saleId": str(event.aggregate_id), "customer": BUYER})
    assert asked.status_code in (201, 202), asked.text
    await world.settle()
    (invoice,) = await world.of(event)
    assert (invoice.status, invoice.document_type, invoice.number) == ("ISSUED", "33", 11)


async def test_a_folio_is_burnt_by_a_rejection_and_asked_for_after_silence(world: World) -> None:
    await world.sii.fault("reject", operation="upload")
    event = await world.sell(9900)
    await world.settle()
    (refused,) = await world.of(event)
    assert (refused.status, refused.failure_reason, refused.number) == ("FAILED", "document_rejected", None)
    shown = (await world.call("GET", f"/invoices/{refused.id}")).json()["data"]
    assert shown["fiscalData"]["messages"][0]["code"] == "DTE-3-999"
    await world.sii.fault("timeout_after_charging", operation="upload")
    assert (await world.call("POST", f"/invoices/{refused.id}/retry")).status_code in (200, 202)
    await world.settle()
    (ticket,) = await world.of(event)
    first = (await world.of(event))[0].number
    assert (ticket.status, first) == ("ISSUED", 13)
    kept = await ask(world.twins._session, "GET", f"{world.twins.url}/_control/sii/documents/{RUT}/39/13")
    assert (kept["data"]["verdict"], kept["data"]["times"]) == ("accepted", 1)
