"""The main job from registration to the day's report."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from e2e.merchant import Merchant, new_buyer
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


async def test_a_sale_by_qr_from_registration_to_the_days_report(stage: Stage, merchant: Merchant) -> None:
    product, buyer = await merchant.product(stock=10, price="89.50"), new_buyer(stage)
    sale = await merchant.sell(product, quantity=2, buyer=buyer)
    assert sale["status"] == "PENDING_PAYMENT"
    assert sale["total"] == "179.00"
    assert sale["currency"] == "MXN"
    assert sale["payment"]["qrCodeUrl"]
    assert sale["payment"]["expiresAt"]
    assert await merchant.stock(product) == (10, 2)

    qr = await merchant.client.get(f"/payments/{sale['transactionId']}/qr.svg")
    assert qr.status == 200
    assert b"<svg" in qr.content

    await merchant.pay(sale)
    completed = await merchant.sale_becomes(sale, "COMPLETED")
    assert completed["payment"]["status"] == "CONFIRMED"
    await merchant.stock_becomes(product, 8)

    receipt = text_of(await merchant.receipt(sale))
    assert "179.00" in receipt
    assert "Café de olla 250 g" in receipt
    invoices = (await merchant.client.get("/invoices", businessId=merchant.business_id, saleId=sale["id"])).data()
    assert [invoice["status"] for invoice in invoices] == ["ISSUED"]
    assert invoices[0]["totals"]["total"] == "179.00"
    assert invoices[0]["invoiceNumber"].endswith("00000001")
    page = await merchant.client.get(f"/invoices/{invoices[0]['id']}/pdf")
    assert invoices[0]["invoiceNumber"] in text_of(page.content)

    [message] = await merchant.messages_to(buyer)
    assert message["text"].startswith(f"{merchant.business['name']}: recibimos tu pago de ")
    assert "179.00" in message["text"]
    assert invoices[0]["invoiceNumber"] in message["text"]
    link = message["text"].rsplit(" ", 1)[-1]
    assert link.startswith(stage.suite.gateway_url)
    shown = await stage.client.holding(None).call("GET", link.removeprefix(f"{stage.suite.gateway_url}/api/v1"))
    assert shown.status == 200, shown
    assert "179.00" in text_of(shown.content)

    summary = await until(merchant.summary, lambda found: found["salesCount"] == 1 and found["invoices"]["count"] == 1)
    assert summary["revenue"] == "179.00"
    assert summary["tax"] == sale["tax"]
    assert summary["payments"]["confirmed"] == {"count": 1, "amount": "179.00"}
    assert summary["stock"] == {"unitsSold": 2, "unitsReturned": 0}


async def test_a_cash_sale_needs_no_provider(stage: Stage, merchant: Merchant) -> None:
    product, buyer = await merchant.product(stock=3, price="100.00"), new_buyer(stage)
    sale = await merchant.sell(product, quantity=2, buyer=buyer, method="CASH", tendered="500.00")
    assert sale["status"] == "COMPLETED"
    assert (sale["total"], sale["tendered"], sale["change"]) == ("200.00", "500.00", "300.00")
    assert sale["transactionId"] is None
    assert await merchant.stock(product) == (1, 0)
    assert "200.00" in text_of(await merchant.receipt(sale))
    assert len(await merchant.messages_to(buyer)) == 1
    await until(merchant.summary, lambda found: found["revenue"] == "200.00")


async def test_too_little_cash_sells_nothing(merchant: Merchant) -> None:
    product = await merchant.product(stock=3, price="100.00")
    answer = await merchant.client.post("/sales", merchant.basket(product, method="CASH", tendered="199.99"))
    answer.error(422, code="insufficient_tender")
    await merchant.stock_becomes(product, 3)


async def test_more_than_there_is_cannot_be_sold(merchant: Merchant) -> None:
    product = await merchant.product(stock=3)
    answer = await merchant.client.post("/sales", merchant.basket(product, quantity=4))
    answer.error(422, code="insufficient_stock")
    assert await merchant.stock(product) == (3, 0)


@pytest.mark.parametrize(("method", "offered"), [("PAYMENT_LINK", "paymentLink"), ("BANK_TRANSFER", "transfer")])
async def test_other_ways_to_pay(merchant: Merchant, method: str, offered: str) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product, method=method)
    assert sale["payment"][offered]
    await merchant.pay(sale)
    await merchant.sale_becomes(sale, "COMPLETED")
    await merchant.stock_becomes(product, 8)
