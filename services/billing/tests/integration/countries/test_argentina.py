"""From a completed sale to a CAE of ARCA's twin and back by a credit note, through billing as it runs."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from billing.__main__ import MIGRATIONS
from billing.app import build
from billing.invoices.models import Invoice
from billing.settings import BillingSettings
from billing.tickets.models import FiscalTicket
from chassis.testing.reencryption import reencrypt_there_and_back
from chassis.testing.service import ServiceUnderTest, running_service
from chassis.testing.tokens import make_principal
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCompleted, SaleRefunded
from fiscal.ar.provider import ArgentinaProvider
from fiscal.ar.settings import ArgentinaSettings
from fiscal.registry import Tools
from kernel import Country, Money, new_id
from pypdf import PdfReader
from sqlalchemy import select
from twins.testing import ProviderTwin, ask, running_twins

pytestmark = pytest.mark.integration

CUIT = "20267565393"


@dataclass
class World:
    sut: ServiceUnderTest
    sales: Any
    arca: ProviderTwin
    business: Any
    branch: Any
    owner: Any

    async def sell(self, total: int = 17900) -> SaleCompleted:
        event: SaleCompleted = self.sales.sell(self.business.id, self.branch.id, country=Country.AR, total=total)
        await self.sut.deliver("billing.sales", event)
        return event

    async def refund(self, event: SaleCompleted, amount: int) -> None:
        money = Money(amount, event.total.currency)
        told = SaleRefunded(
            **event.model_dump(exclude={"items", "payments", "completed_at", "sold_at", "cash_session_id"}),
            refund_id=new_id(),
            amount=MoneyAmount.of(money),
            refunded_tax=MoneyAmount.of(money.included_tax(Country.AR.vat_rate)),
            refunded_total=MoneyAmount.of(money),
            parts=[],
            items=[],
            reason=None,
            refunded_at=self.sut.clock.now(),
        )
        await self.sut.deliver("billing.sales", told)

    async def settle(self) -> None:
        """Until nothing is due: of a series one document is under way at a time."""
        for _ in range(3):
            while await self.sut.context.transmitter.transmit_due():
                pass
            self.sut.clock.advance(timedelta(seconds=6))

    async def of(self, event: SaleCompleted) -> list[Invoice]:
        async with self.sut.kit.database.read() as session:
            statement = select(Invoice).where(Invoice.for_sale_id == event.aggregate_id).order_by(Invoice.created_at)
            return list((await session.execute(statement)).scalars())

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        url = f"/api/v1/invoices{path}"
        return await self.sut.client.request(method, url, json=body, headers=self.sut.as_(self.owner))


@pytest.fixture(scope="module")
async def world(sales: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    objects: Path = tmp_path_factory.mktemp("arca")
    async with running_twins() as twins:
        url = f"{twins.url}/arca"

        def opened(tools: Tools) -> ArgentinaProvider:
            return ArgentinaProvider(tools, ArgentinaSettings(test_wsaa_url=url, test_wsfe_url=url, timeout_seconds=2))

        environment = {
            "SALES_GRPC_TARGET": sales.target,
            "OBJECT_STORE_URL": objects.as_uri(),
            "PUBLIC_URL": "https://cobro.example",
        }
        async with running_service(
            "billing",
            BillingSettings,
            partial(build, countries={Country.AR: opened}),
            migrations=MIGRATIONS,
            environment=environment,
        ) as sut:
            business = sut.directory.open_business(country=Country.AR)
            branch = sut.directory.open_branch(business.id)
            world = World(sut, sales, twins.provider("arca"), business, branch, make_principal(owns=[business.id]))
            made = await ask(twins._session, "POST", f"{twins.url}/_control/arca/certificates", {"cuit": CUIT})
            profile = {
                "taxId": "20-26756539-3",
                "legalName": "Panadería del Sur SRL",
                "taxRegime": "1",
                "automaticIssue": True,
                "fields": {"pointOfSale": "3", "grossIncome": "901-123456-7", "activityStart": "2019-03-01"},
                "credentials": {
                    "certificate": made["certificate"],
                    "privateKey": base64.b64encode(made["privateKey"].encode()).decode(),
                },
            }
            answer = await sut.client.put(
                f"/api/v1/fiscal-profiles/{business.id}", json=profile, headers=sut.as_(world.owner)
            )
            assert answer.status_code == 200, answer.text
            assert made["privateKey"][100:160] not in answer.text
            yield world


async def test_a_sale_is_authorized_printed_and_taken_back(world: World) -> None:
    event = await world.sell()
    await world.settle()
    (ticket,) = await world.of(event)
    assert (ticket.status, ticket.document_type, ticket.invoice_number) == ("ISSUED", "6", "00003-00000001")
    assert ticket.fiscal_id is not None
    assert len(ticket.fiscal_id) == 14
    shown = (await world.call("GET", f"/{ticket.id}")).json()["data"]
    assert shown["fiscalData"]["fiscalId"] == ticket.fiscal_id
    xml = (await world.call("GET", f"/{ticket.id}/xml")).content.decode()
    assert f"<CAE>{ticket.fiscal_id}</CAE>" in xml
    assert "<CondicionIVAReceptorId>5</CondicionIVAReceptorId>" in xml
    for layout in ("a4", "ticket"):
        pdf = await world.call("GET", f"/{ticket.id}/pdf?format={layout}")
        text = " ".join(PdfReader(BytesIO(pdf.content)).pages[0].extract_text().split())
        for wanted in ("00003-00000001", ticket.fiscal_id, "Ley 27.743", "IVA Contenido: $ 31,07", "CÓD. 06"):
            assert wanted.lower() in text.lower(), (layout, wanted)

    await world.refund(event, 5000)
    await world.settle()
    _, note = await world.of(event)
    assert (note.kind, note.status, note.document_type) == ("CREDIT_NOTE", "ISSUED", "8")
    assert "<Tipo>6</Tipo><PtoVta>3</PtoVta><Nro>1</Nro>" in (await world.call("GET", f"/{note.id}/xml")).text

    canceled = await world.call("POST", f"/{ticket.id}/cancel", {"motive": "Error en la venta"})
    assert canceled.status_code == 202, canceled.text
    await world.settle()
    ticket, _, rest = await world.of(event)
    assert (ticket.status, rest.kind, rest.status, str(rest.total)) == ("CANCELED", "CREDIT_NOTE", "ISSUED", "129.00")


async def test_an_answer_that_never_came_is_asked_for(world: World) -> None:
    await world.arca.fault("timeout_after_charging", operation="FECAESolicitar")
    event = await world.sell(9900)
    while await world.sut.context.transmitter.transmit_due():
        pass
    (waiting,) = await world.of(event)
    assert (waiting.status, waiting.fiscal_state) == ("PENDING", "unknown")
    await world.settle()
    (ticket,) = await world.of(event)
    assert ticket.status == "ISSUED"
    following = await world.sell(9900)
    await world.settle()
    (second,) = await world.of(following)
    assert (second.status, second.number) == ("ISSUED", (ticket.number or 0) + 1)


async def test_the_ticket_outlives_the_process_and_is_kept_secret(world: World) -> None:
    """ARCA refuses a second one while the first is good: a process that starts must find it."""
    before = world.sut.context.fiscal._open.pop(Country.AR)
    await before.close()
    event = await world.sell(1500)
    await world.settle()
    assert [invoice.status for invoice in await world.of(event)] == ["ISSUED"]
    async with world.sut.kit.database.read() as session:
        (kept,) = (await session.execute(select(FiscalTicket))).scalars()
    assert kept.content.startswith("v1.")
    assert kept.claimed_until is None
    rewritten = await reencrypt_there_and_back(world.sut)
    assert rewritten["fiscal_tickets"] == 1
