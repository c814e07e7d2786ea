from typing import Any

import grpc
import pytest
from chassis.rpc.client import call
from chassis.testing.service import ServiceUnderTest
from contracts.billing.v1 import invoices_pb2, invoices_pb2_grpc
from kernel import InvalidInput, NotFound, new_id

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
async def channel(sut: ServiceUnderTest) -> grpc.aio.Channel:
    return await sut.channel()


async def get(channel: grpc.aio.Channel, business_id: object, sale_id: object) -> invoices_pb2.Invoice:
    stub = invoices_pb2_grpc.InvoicesStub(channel)
    request = invoices_pb2.GetInvoiceOfSaleRequest(business_id=str(business_id), sale_id=str(sale_id))
    return await call("billing", stub.GetInvoiceOfSale(request, timeout=5))


async def test_the_document_of_a_sale(sut: ServiceUnderTest, channel: grpc.aio.Channel, shop: Any, issued: Any) -> None:
    event, document = await issued(shop)

    answer = await get(channel, shop.business.id, event.aggregate_id)

    assert (answer.id, answer.status, answer.invoice_number) == (document["id"], "ISSUED", "R-00000001")
    assert answer.pdf_url == document["pdfUrl"]
    path = answer.receipt_url.removeprefix("https://cobro.example")
    assert (await sut.client.get(path)).content.startswith(b"%PDF")


async def test_a_document_that_is_still_being_made(
    sut: ServiceUnderTest, channel: grpc.aio.Channel, sales: Any, shop: Any
) -> None:
    event = sales.sell(shop.business.id, shop.branch.id)
    await sut.deliver("billing.sales", event)

    answer = await get(channel, shop.business.id, event.aggregate_id)

    assert (answer.status, answer.pdf_url, answer.issued_at_ms) == ("PENDING", "", 0)


async def test_absent_foreign_and_malformed(channel: grpc.aio.Channel, shop: Any, issued: Any) -> None:
    event, _ = await issued(shop)

    for business_id, sale_id in ((shop.business.id, new_id()), (new_id(), event.aggregate_id)):
        with pytest.raises(NotFound) as absent:
            await get(channel, business_id, sale_id)
        assert absent.value.code == "invoice_not_found"
    with pytest.raises(InvalidInput):
        await get(channel, shop.business.id, "'; --")
