"""A fiscal document's way to its authority and back, in each shape that a country has."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from billing.numbering.models import FreeNumber
from billing.transmission.transmitter import LEASE
from contracts.events.billing import InvoiceCanceled, InvoiceFailed, InvoiceIssued
from fiscal.errors import BadProfile, Rejected, WorkshopFailed
from fiscal.testing.fake import FakeProvider
from kernel import Country
from pypdf import PdfReader
from sqlalchemy import delete

pytestmark = pytest.mark.integration

SHAPES = [Country.MX, Country.CL, Country.AR]
BUYER = {"name": "Xóchitl Secreta", "taxId": "XOSE900101AB1", "regime": "616", "use": "S01"}


class Killed(BaseException):
    """Like a kill -9: nothing catches it, nothing tidies up."""


async def settled(issuing: Any) -> None:
    """Everything that waits for the authority's decision gets it."""
    await issuing.drain()
    issuing.authority.decide()
    issuing.sut.clock.advance(timedelta(minutes=2))
    await issuing.drain()


@pytest.mark.parametrize("country", SHAPES, ids=str)
async def test_a_sale_becomes_a_ticket(issuing: Any, country: Country) -> None:
    world = await issuing(country)
    event = await world.sell()
    assert (await world.one(event)).number is None

    await settled(world)

    ticket = await world.one(event)
    assert (ticket.kind, ticket.status, ticket.fiscal_state, ticket.number) == ("TICKET", "ISSUED", "accepted", 1)
    assert world.authority.received == [("T", 1)]
    (announced,) = await world.sut.published(InvoiceIssued, aggregate_id=ticket.id)
    assert (announced.kind, announced.fiscal_id, announced.sale_id) == ("TICKET", ticket.fiscal_id, event.aggregate_id)
    shown = (await world.get(f"/{ticket.id}")).json()["data"]
    assert shown["fiscalData"]["fiscalId"] == ticket.fiscal_id
    assert shown["totals"]["total"] == str(event.total.money)
    xml = await world.get(f"/{ticket.id}/xml")
    assert xml.content.startswith(b"<xml>")
    pdf = await world.get(f"/{ticket.id}/pdf")
    text = PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    assert "Escuela Kemper Urgate" in text
    assert "FACTURA DE PRUEBA" in text
    assert ticket.fiscal_id in "".join(text.split())


async def test_links_open_one_file_for_a_while_and_without_a_token(issuing: Any) -> None:
    world = await issuing()
    event = await world.sell()
    await world.drain()
    shown = (await world.get(f"/{(await world.one(event)).id}")).json()["data"]
    pdf, xml = (urlsplit(shown[name]) for name in ("pdfUrl", "xmlUrl"))

    async def status(path: str, query: str) -> int:
        return (await world.sut.client.get(f"{path}?{query}")).status_code

    assert [await status(link.path, link.query) for link in (pdf, xml)] == [200, 200]
    assert await status(pdf.path, xml.query) == 404
    assert await status(pdf.path, pdf.query[:-1] + ("A" if pdf.query[-1] != "A" else "B")) == 404
    assert await status(pdf.path, "key=x.y") == 404
    assert (await world.sut.client.get(pdf.path)).status_code == 401
    world.sut.clock.advance(timedelta(minutes=15))
    assert await status(pdf.path, pdf.query) == 404


@pytest.mark.parametrize("country", SHAPES, ids=str)
async def test_an_answer_that_never_came_is_asked_for_and_nothing_is_sent_twice(issuing: Any, country: Country) -> None:
    world = await issuing(country)
    world.authority.faults.append("timeout")
    event = await world.sell()
    await world.drain()
    waiting = await world.one(event)
    assert (waiting.status, waiting.fiscal_state) == ("PENDING", "unknown")

    world.sut.clock.advance(timedelta(seconds=5))
    await settled(world)

    assert (await world.one(event)).status == "ISSUED"
    assert world.authority.received == [("T", 1)]


@pytest.mark.parametrize(
    "trouble", [BadProfile([]), Rejected([]), WorkshopFailed("broke")], ids=lambda it: type(it).__name__
)
async def test_trouble_after_a_document_has_left_calls_nothing_off(
    issuing: Any, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    world = await issuing()
    event = await world.sell()
    with monkeypatch.context() as patch:
        issue = FakeProvider.issue

        async def sends_and_stumbles(self: FakeProvider, *arguments: Any, **named: Any) -> None:
            await issue(self, *arguments, **named)
            raise trouble

        patch.setattr(FakeProvider, "issue", sends_and_stumbles)
        await world.drain()
    waiting = await world.one(event)
    assert (waiting.status, waiting.fiscal_state) == ("PENDING", "submitted")

    world.sut.clock.advance(timedelta(minutes=2))
    await settled(world)

    assert (await world.one(event)).status == "ISSUED"
    assert world.authority.received == [("T", 1)]


STEPS = [
    "fiscal.testing.fake.FakeProvider.prepare",
    "fiscal.testing.fake.FakeProvider.issue",
    "billing.transmission.transmitter.Transmitter._record",
    "billing.receipts.service.Receipts.issue",
    "billing.transmission.repository.settle",
]


@pytest.mark.parametrize("step", STEPS)
async def test_whoever_dies_midway_leaves_a_document_that_is_gone_on_with(
    issuing: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    world = await issuing()
    event = await world.sell()
    with monkeypatch.context() as patch:

        async def dies(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(step, dies)
        with pytest.raises(Killed):
            await world.sut.context.transmitter.transmit_due()

    world.sut.clock.advance(LEASE)
    await world.drain()

    invoice = await world.one(event)
    assert (invoice.status, invoice.number) == ("ISSUED", 1)
    assert world.authority.received == [("T", 1)]
    assert len(await world.sut.published(InvoiceIssued, aggregate_id=invoice.id)) == 1


async def test_while_the_authority_is_down_documents_queue_and_then_follow_in_order(issuing: Any) -> None:
    world = await issuing()
    world.authority.down = True
    events = [await world.sell() for _ in range(5)]
    await world.drain()
    waiting = [await world.one(event) for event in events]
    assert {(invoice.status, invoice.fiscal_state) for invoice in waiting} == {("PENDING", "prepared")}
    assert all(invoice.contingency_since for invoice in waiting)

    world.authority.down = False
    for _ in range(4):
        world.sut.clock.advance(timedelta(seconds=30))
        await world.drain()

    assert [(await world.one(event)).status for event in events] == ["ISSUED"] * 5
    assert world.authority.received == [("T", number) for number in range(1, 6)]


@pytest.mark.parametrize("country", SHAPES, ids=str)
async def test_a_rejected_document_says_why_and_may_be_tried_again(issuing: Any, country: Country) -> None:
    """Its number: kept (MX), burnt (CL), the authority's to give again (AR)."""
    world = await issuing(country)
    world.authority.faults.append("reject")
    event = await world.sell()
    await world.drain()
    failed = await world.one(event)
    assert (failed.status, failed.failure_reason) == ("FAILED", "document_rejected")
    assert failed.number == {Country.MX: 1}.get(country)
    (announced,) = await world.sut.published(InvoiceFailed, aggregate_id=failed.id)
    assert announced.kind == "TICKET"
    shown = (await world.get(f"/{failed.id}")).json()["data"]
    assert shown["fiscalData"]["messages"] == [{"code": "E1", "text": "No se puede"}]

    assert (await world.post(f"/{failed.id}/retry")).status_code == 200
    await settled(world)

    issued = await world.one(event)
    assert (issued.status, issued.number) == ("ISSUED", {Country.CL: 2}.get(country, 1))


async def test_who_is_named_gets_an_invoice_and_is_kept_secret(issuing: Any) -> None:
    world = await issuing(automaticIssue=False)
    event = await world.sell()
    body = {"saleId": str(event.aggregate_id), "customer": BUYER}

    created = await world.post("", body)

    assert created.status_code == 201, created.text
    assert (created.json()["data"]["kind"], created.json()["data"]["status"]) == ("INVOICE", "PENDING")
    assert (await world.post("", body)).json()["code"] == "sale_already_invoiced"
    await world.drain()
    receipt, invoice = sorted(await world.of(event), key=lambda found: found.kind, reverse=True)
    assert (receipt.kind, invoice.kind, invoice.status, invoice.document_type) == ("RECEIPT", "INVOICE", "ISSUED", "F")
    columns = (invoice.basis, invoice.request, invoice.prepared, invoice.answer, invoice.content)
    assert not any("Secreta" in (column or "") for column in columns)
    shown = (await world.get(f"/{invoice.id}")).json()["data"]
    assert shown["customer"] == {"name": "Xóchitl Secreta", "taxId": "XOSE900101AB1"}


async def test_a_ticket_without_a_number_becomes_the_invoice_that_is_asked_for(issuing: Any) -> None:
    world = await issuing()
    event = await world.sell()
    created = await world.post("", {"saleId": str(event.aggregate_id), "customer": BUYER})
    assert created.status_code == 201, created.text
    await world.drain()

    invoice = await world.one(event)

    assert (invoice.kind, invoice.status) == ("INVOICE", "ISSUED")
    assert world.authority.received == [("F", 1)]


async def test_without_a_profile_there_is_no_invoice(sut: Any, sales: Any, shop: Any) -> None:
    event = sales.sell(shop.business.id, shop.branch.id)
    body = {"saleId": str(event.aggregate_id), "customer": BUYER}
    headers = sut.as_(shop.owner)
    assert (await sut.client.post("/api/v1/invoices", json=body, headers=headers)).json()["code"] == "sale_not_found"
    await sut.deliver("billing.sales", event)
    answer = await sut.client.post("/api/v1/invoices", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "fiscal_profile_missing")


@pytest.mark.parametrize("by_item", [False, True], ids=["money", "items"])
@pytest.mark.parametrize("when", ["before the sale", "before acceptance", "after"])
async def test_a_refund_has_one_credit_note_whenever_it_is_told(issuing: Any, when: str, by_item: bool) -> None:
    world = await issuing(Country.CL)
    event = world.sales.sell(world.shop.business.id, world.shop.branch.id, country=Country.CL)
    refund = world.refund(event, 5000, by_item=by_item)
    queue = "billing.sales"
    told = [refund, event] if when == "before the sale" else [event, refund]
    for index, message in enumerate(told):
        event_id = await world.sut.deliver(queue, message)
        await world.sut.deliver(queue, message, id=event_id)
        await world.sut.deliver(queue, message)
        if when == "after" and index == 0:
            await settled(world)
    await settled(world)
    await settled(world)

    ticket, note = await world.of(event)

    assert (ticket.kind, note.kind, note.origin_id, note.refund_id) == (
        "TICKET",
        "CREDIT_NOTE",
        ticket.id,
        refund.refund_id,
    )
    assert (ticket.status, note.status, str(note.money(note.total))) == ("ISSUED", "ISSUED", "5000")
    request = world.sut.context.papers.request(note)
    assert (request.total, request.reference.fiscal_id) == (note.money(note.total), ticket.fiscal_id)
    assert world.authority.received == [("T", 1), ("N", 1)]


async def test_canceling_takes_the_authority_s_time(issuing: Any) -> None:
    world = await issuing()
    event = await world.sell()
    await world.drain()
    ticket = await world.one(event)
    assert (await world.post(f"/{ticket.id}/cancel", {"motive": "99"})).status_code == 400

    asked = await world.post(f"/{ticket.id}/cancel", {"motive": "02"})

    assert (asked.status_code, asked.json()["data"]["status"]) == (202, "ISSUED")
    assert (await world.post(f"/{ticket.id}/cancel", {"motive": "02"})).json()["code"] == "invoice_not_cancelable"
    await world.drain()
    assert (await world.one(event)).fiscal_state == "cancel_pending"
    await settled(world)
    assert (await world.one(event)).status == "CANCELED"
    (announced,) = await world.sut.published(InvoiceCanceled, aggregate_id=ticket.id)
    assert (announced.kind, announced.motive) == ("TICKET", "02")
    again = await world.post("", {"saleId": str(event.aggregate_id), "customer": BUYER})
    assert again.status_code == 201, again.text


async def test_a_refused_cancellation_leaves_the_document_as_it_was(issuing: Any) -> None:
    world = await issuing()
    event = await world.sell()
    await world.drain()
    ticket = await world.one(event)
    world.authority.faults.append("cancel_rejected")
    await world.post(f"/{ticket.id}/cancel", {"motive": "02"})
    await world.drain()

    refused = await world.one(event)

    assert (refused.status, refused.fiscal_state, refused.failure_reason) == (
        "ISSUED",
        "cancel_rejected",
        "cancel_rejected",
    )
    assert (await world.post(f"/{ticket.id}/cancel", {"motive": "02"})).status_code == 202


async def test_where_nobody_cancels_a_credit_note_takes_back_what_is_left(issuing: Any) -> None:
    world = await issuing(Country.AR)
    event = await world.sell(total=100000)
    await world.drain()
    await world.sut.deliver("billing.sales", world.refund(event, 30000))
    await settled(world)
    ticket = next(found for found in await world.of(event) if found.kind == "TICKET")

    asked = await asyncio.gather(*(world.post(f"/{ticket.id}/cancel", {"motive": "error"}) for _ in range(3)))

    assert sorted(answer.status_code for answer in asked) == [202, 409, 409]
    await settled(world)
    found = await world.of(event)
    assert sorted(str(note.total) for note in found if note.kind == "CREDIT_NOTE") == ["300.00", "700.00"]
    assert next(one for one in found if one.kind == "TICKET").status == "CANCELED"


async def test_an_authority_that_counts_gets_one_document_of_a_series_at_a_time(issuing: Any) -> None:
    world = await issuing(Country.AR)
    world.authority.documents["T", 41] = "accepted"
    events = [await world.sell() for _ in range(6)]

    for _ in range(8):
        await asyncio.gather(*(world.drain() for _ in range(3)))
        world.sut.clock.advance(timedelta(seconds=2))

    assert sorted([(await world.one(event)).number for event in events]) == list(range(42, 48))
    assert world.authority.received == [("T", number) for number in range(42, 48)]


async def test_ranges_that_run_out_stop_documents_until_there_is_another(issuing: Any) -> None:
    numbering = [
        {"series": "T", "from": "7", "to": "8"},
        {"series": "T", "from": "20", "to": "29", "validTo": "2020-01-01"},
    ]
    world = await issuing(Country.CL, numbering=numbering)
    events = [await world.sell() for _ in range(3)]
    await settled(world)
    waiting = [await world.one(event) for event in events]
    assert sorted(invoice.number or 0 for invoice in waiting) == [0, 7, 8]
    (short,) = [invoice for invoice in waiting if invoice.number is None]
    assert (short.status, short.failure_reason) == ("PENDING", "numbers_exhausted")
    url = f"/api/v1/fiscal-profiles/{world.shop.business.id}"
    shown = (await world.sut.client.get(url, headers=world.sut.as_(world.shop.owner))).json()["data"]
    assert [(item["first"], item["left"]) for item in shown["numbering"]] == [(20, 10), (7, 0)]


async def test_a_lost_file_is_put_back_as_it_was(issuing: Any) -> None:
    from billing.receipts.service import _xml_key

    world = await issuing()
    event = await world.sell()
    await world.drain()
    ticket = await world.one(event)
    first = await world.get(f"/{ticket.id}/xml")
    store = world.sut.context.receipts._store
    key = _xml_key(ticket.business_id, ticket.id)
    for damage in (None, b"<xml>another</xml>"):
        await store.delete(key)
        if damage is not None:
            await store.put(key, damage, "application/xml")
        again = await world.get(f"/{ticket.id}/xml")
        assert (again.status_code, again.content) == (200, first.content)


async def test_a_number_taken_by_nobody_is_taken_by_the_next(issuing: Any) -> None:
    world = await issuing()
    async with world.sut.kit.database.transaction() as unit:
        await unit.session.execute(delete(FreeNumber).where(FreeNumber.business_id == world.shop.business.id))
    events = [await world.sell() for _ in range(9)]
    await asyncio.gather(*(world.drain() for _ in range(4)))
    numbers = [(await world.one(event)).number for event in events]
    assert sorted(numbers) == list(range(1, 10))
