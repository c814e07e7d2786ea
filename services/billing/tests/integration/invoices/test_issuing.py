import asyncio
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from billing.invoices.issuing import LEASE
from billing.invoices.models import Invoice
from chassis.objectstore import ObjectStoreUnavailable
from chassis.pdf.thread import RenderingFailed
from chassis.testing.service import ServiceUnderTest
from contracts.events.billing import InvoiceFailed, InvoiceIssued
from kernel import NotFound, Unavailable
from pypdf import PdfReader
from sqlalchemy import select

pytestmark = pytest.mark.integration

QUEUE = "billing.sales"


async def invoice_of(sut: ServiceUnderTest, event: Any) -> Invoice:
    async with sut.kit.database.read() as session:
        return (await session.execute(select(Invoice).where(Invoice.sale_id == event.aggregate_id))).scalar_one()


async def drain(sut: ServiceUnderTest) -> None:
    while await sut.context.issuer.issue_due():
        pass


async def sold(sut: ServiceUnderTest, sales: Any, shop: Any, **sale: Any) -> Any:
    event = sales.sell(shop.business.id, shop.branch.id, **sale)
    await sut.deliver(QUEUE, event)
    return event


async def test_a_document_is_drawn_stored_and_announced(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = await sold(sut, sales, shop)

    await drain(sut)

    invoice = await invoice_of(sut, event)
    assert (invoice.status, invoice.worker, invoice.failure_reason) == ("ISSUED", None, None)
    (announced,) = await sut.published(InvoiceIssued, aggregate_id=invoice.id)
    assert announced.sale_id == event.aggregate_id
    assert announced.invoice_number == "R-00000001"
    assert announced.total == event.total
    assert announced.aggregate_version == invoice.version == 2
    url = f"/api/v1/invoices/{invoice.id}/pdf"
    pdf = await sut.client.get(url, headers=sut.as_(shop.owner))
    text = PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    for expected in ("Abarrotes Lupita", "EKU9003173C9", "R-00000001", "Café de olla", "$179.00", "Ana López"):
        assert expected in text


async def test_what_a_buyer_left_behind_is_encrypted(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = await sold(sut, sales, shop, customer={"name": "Xóchitl Secreta", "tax_id": "XOSE900101AB1"})
    await drain(sut)

    invoice = await invoice_of(sut, event)

    assert invoice.content is not None
    assert "Secreta" not in invoice.content
    for published in await sut.published(aggregate_id=invoice.id):
        assert "Secreta" not in published.model_dump_json()


@pytest.mark.parametrize(
    "fault",
    [Unavailable("down", code="sales_unavailable"), pytest.param(RuntimeError("bug over there"), id="broken")],
    ids=["down", "broken"],
)
async def test_a_dependency_that_fails_is_asked_again_later(
    sut: ServiceUnderTest, sales: Any, shop: Any, fault: Exception
) -> None:
    event = await sold(sut, sales, shop)
    sales.faults[str(event.aggregate_id)] = [fault, fault]

    await drain(sut)
    waiting = await invoice_of(sut, event)
    assert (waiting.status, waiting.failure_reason, waiting.attempts) == ("PENDING", "sales_unavailable", 1)
    sut.clock.advance(timedelta(seconds=1))
    await drain(sut)
    assert (await invoice_of(sut, event)).attempts == 2
    sut.clock.advance(timedelta(seconds=1))
    await drain(sut)
    assert (await invoice_of(sut, event)).status == "PENDING"  # the second wait is two seconds long
    sut.clock.advance(timedelta(seconds=1))
    await drain(sut)

    assert (await invoice_of(sut, event)).status == "ISSUED"
    assert event.aggregate_id not in {failed.sale_id for failed in await sut.published(InvoiceFailed)}


async def test_a_sale_that_does_not_exist_fails_for_good(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = await sold(sut, sales, shop)
    sales.faults[str(event.aggregate_id)] = [NotFound("Sale not found", code="sale_not_found")]

    await drain(sut)

    invoice = await invoice_of(sut, event)
    assert (invoice.status, invoice.failure_reason) == ("FAILED", "sale_not_found")
    (announced,) = await sut.published(InvoiceFailed, aggregate_id=invoice.id)
    assert announced.reason == "sale_not_found"


async def test_a_closed_branch_does_not_stop_the_receipt(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    event = await sold(sut, sales, shop)
    del sut.directory.branches[shop.branch.id]

    await drain(sut)

    assert (await invoice_of(sut, event)).status == "ISSUED"


STEPS = [
    "billing.receipts.service.Receipts.issue",
    "billing.invoices.repository.settle",
    "billing.invoices.repository.keep_content",
]


class Killed(BaseException):
    """Like a kill -9: nothing catches it, nothing tidies up."""


@pytest.mark.parametrize("step", STEPS)
async def test_whoever_dies_midway_leaves_a_document_that_is_resumed(
    sut: ServiceUnderTest, sales: Any, shop: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    event = await sold(sut, sales, shop)
    with monkeypatch.context() as patch:

        async def dies(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(step, dies)
        with pytest.raises(Killed):
            await sut.context.issuer.issue_due()
    held = await invoice_of(sut, event)
    assert held.status == "PENDING"
    await drain(sut)
    assert (await invoice_of(sut, event)).status == "PENDING"  # the lease still runs

    sut.clock.advance(LEASE)
    await drain(sut)

    invoice = await invoice_of(sut, event)
    assert (invoice.status, invoice.number) == ("ISSUED", 1)
    assert len(await sut.published(InvoiceIssued, aggregate_id=invoice.id)) == 1


async def test_who_lost_the_lease_issues_nothing(
    sut: ServiceUnderTest, sales: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await sold(sut, sales, shop)
    from billing.receipts.service import Receipts

    slow, original = asyncio.Event(), Receipts.issue

    async def stuck(self: Receipts, *arguments: Any) -> None:
        if not slow.is_set():
            slow.set()
            sut.clock.advance(LEASE)
            await drain(sut)
        await original(self, *arguments)

    monkeypatch.setattr(Receipts, "issue", stuck)
    await sut.context.issuer.issue_due()

    invoice = await invoice_of(sut, event)
    assert invoice.status == "ISSUED"
    assert len(await sut.published(InvoiceIssued, aggregate_id=invoice.id)) == 1


async def test_several_workers_issue_each_document_once(sut: ServiceUnderTest, sales: Any, shop: Any) -> None:
    events = [await sold(sut, sales, shop) for _ in range(12)]

    await asyncio.gather(*(drain(sut) for _ in range(4)))

    for event in events:
        invoice = await invoice_of(sut, event)
        assert invoice.attempts == 1
        assert len(await sut.published(InvoiceIssued, aggregate_id=invoice.id)) == 1


async def test_a_full_disk_only_delays(
    sut: ServiceUnderTest, sales: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await sold(sut, sales, shop)
    with monkeypatch.context() as patch:

        async def full(*_: object) -> None:
            raise ObjectStoreUnavailable("OSError")

        patch.setattr("chassis.objectstore.LocalFolder.put", full)
        await drain(sut)
    assert (await invoice_of(sut, event)).failure_reason == "object_store_unavailable"

    sut.clock.advance(timedelta(seconds=1))
    await drain(sut)

    assert (await invoice_of(sut, event)).status == "ISSUED"
    assert sales.calls.count(str(event.aggregate_id)) == 1  # what is printed was fixed at the first try


async def test_what_cannot_be_drawn_fails_after_a_few_tries_and_may_be_retried(
    sut: ServiceUnderTest, sales: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await sold(sut, sales, shop)
    with monkeypatch.context() as patch:

        async def broken(*_: object) -> None:
            raise RenderingFailed("KeyError")

        patch.setattr("billing.receipts.renderer.Renderer.pdf", broken)
        for _ in range(6):
            await drain(sut)
            sut.clock.advance(timedelta(minutes=1))
    invoice = await invoice_of(sut, event)
    assert (invoice.status, invoice.failure_reason, invoice.attempts) == ("FAILED", "rendering_failed", 5)

    url = f"/api/v1/invoices/{invoice.id}/retry"
    answer = await sut.client.post(url, headers=sut.as_(shop.owner))
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "PENDING")
    await drain(sut)

    issued = await invoice_of(sut, event)
    assert (issued.status, issued.number) == ("ISSUED", invoice.number)
    assert (await sut.client.post(url, headers=sut.as_(shop.owner))).json()["code"] == "invoice_already_issued"
