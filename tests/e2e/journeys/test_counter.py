"""A day at the counter: the drawer, discounts, a split payment, goods that come back, and a till that was offline."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from e2e.merchant import Json, Merchant
from e2e.polling import until

from .test_story import text_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_a_day_at_the_counter(merchant: Merchant) -> None:
    client = merchant.client
    coffee = await merchant.product(stock=10, price="100.00")
    named = {"businessId": merchant.business_id, "branchId": merchant.branch_id, "name": "Caja 1"}
    register = f"/cash-registers/{(await client.post('/cash-registers', named)).data(201)['id']}"
    session = (await client.post(f"{register}/open", {"denominations": {"100": 5}})).data(201)

    # Ten percent off two of them, for cash.
    sale = (await client.post("/sales", {**_basket(merchant, coffee), "discount": {"percent": "10"}})).data(201)
    assert (sale["status"], sale["total"], sale["discount"]) == ("COMPLETED", "180.00", "20.00")
    assert sale["cashSessionId"] == session["id"]

    # Part in cash, the rest by QR.
    parts = [{"method": "CASH", "amount": "50.00"}, {"method": "QR_DYNAMIC"}]
    split = (await client.post("/sales", _basket(merchant, coffee, payments=parts))).data(201)
    assert [part["amount"] for part in split["payments"]] == ["50.00", "150.00"]
    await merchant.pay(split)
    await merchant.sale_becomes(split, "COMPLETED")

    # One of the discounted ones comes back.
    back = {"items": [{"productId": coffee["id"], "quantity": 1}], "reason": "No le gustó"}
    refund = (await client.post(f"/sales/{sale['id']}/refund", back)).data(201)
    assert (refund["status"], refund["amount"]) == ("SUCCEEDED", "90.00")
    assert (await merchant.sale(sale))["status"] == "PARTIALLY_REFUNDED"
    await merchant.stock_becomes(coffee, 7)

    # What the till sold while it was offline, twice: its second sale is still on it when the drawer is closed.
    first, second = _offline(coffee, 1), _offline(coffee, 2)
    sent = await _send(merchant, first, last=2)
    assert [item["result"] for item in sent] == ["accepted"]
    assert [item["result"] for item in await _send(merchant, first, last=2)] == ["duplicate"]

    closed = (await client.post(f"{register}/close", {"closingCash": "740.00"})).data(200)
    assert (closed["expectedCash"], closed["difference"]) == ("740.00", "0.00")
    assert [(odd["code"], odd["till"], odd["count"]) for odd in closed["exceptions"]] == [
        ("MISSING_SALES", "caja-1", 1)
    ]
    report = await client.get(f"{register}/sessions/{session['id']}/report.pdf", lang="es")
    assert "CORTE Z" in text_of(report.content)
    assert "caja-1" in text_of(report.content)

    late = await _send(merchant, second, first)
    assert [(item["result"], item["cashSessionId"]) for item in late] == [
        ("accepted", session["id"]),
        ("duplicate", session["id"]),
    ]
    settled = (await client.get(f"{register}/sessions/{session['id']}")).data()
    assert (settled["difference"], settled["lateCash"], settled["needsApproval"]) == ("0.00", "100.00", True)
    [till] = (await client.get("/sales/sync/devices", businessId=merchant.business_id)).data()
    assert (till["sales"], till["missing"]) == (2, 0)
    await merchant.stock_becomes(coffee, 5)
    await until(merchant.summary, lambda found: found["salesCount"] == 4)


def _basket(merchant: Merchant, product: Json, **paid: object) -> Json:
    body = merchant.basket(product, method="CASH")
    return {**{key: value for key, value in body.items() if key != "payment"}, **paid} if paid else body


def _offline(product: Json, sequence: int) -> Json:
    return {
        "id": str(uuid4()),
        "soldAt": datetime.now(UTC).isoformat(),
        "sequence": sequence,
        "items": [{"productId": product["id"], "quantity": 1}],
        "payment": {"method": "CASH"},
        "total": "100.00",
    }


async def _send(merchant: Merchant, *sales: Json, last: int | None = None) -> list[Json]:
    body = {
        "businessId": merchant.business_id,
        "branchId": merchant.branch_id,
        "deviceId": "caja-1",
        "lastSequence": last,
        "sales": sales,
    }
    results: list[Json] = (await merchant.client.post("/sales/sync", body)).data(200)["results"]
    return results
