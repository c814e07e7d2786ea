"""Any process killed with -9 in the middle of sales and started again: every sale ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from stack.api import Api

from e2e.merchant import Buyer, Json, Merchant, new_buyer, pay_despite_faults
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_SALES = 8
# What a till sends at once after a while without a connection.
_OFFLINE = 40
_SERVICES = ("gateway", "auth", "catalog", "sales", "payments", "webhooks", "billing", "notifications", "analytics")
# Every sale must be through by then, the restart of a process included.
_WITHIN = 120.0


@pytest.fixture
async def till(merchant: Merchant) -> AsyncIterator[Api]:
    """A client as a till has one: it sends again, with the same key, what was not answered."""
    async with Api(merchant.stage.suite.gateway_url, patience=_WITHIN) as api:
        api.authenticate(merchant.tokens["accessToken"])
        yield api


async def sell(till: Api, merchant: Merchant, product: Json, buyer: Buyer) -> Json:
    """One sale by QR from the basket to its completion, whatever dies on the way."""
    return await paid(till, merchant, await till.post("/sales", merchant.basket(product, quantity=1, buyer=buyer)))


async def paid(till: Api, merchant: Merchant, sale: Json) -> Json:
    async def order() -> Any:
        return (await till.get(f"/payments/{sale['transactionId']}"))["providerRef"]

    reference = await until(order, within=_WITHIN)
    await until(lambda: pay_despite_faults(merchant.stage, reference), within=_WITHIN)

    async def now() -> Json:
        found: Json = await till.get(f"/sales/{sale['id']}")
        return found

    return await until(now, lambda found: found["status"] == "COMPLETED", within=_WITHIN)


@pytest.mark.parametrize("service", _SERVICES)
async def test_a_killed_service_costs_nothing(stage: Stage, merchant: Merchant, till: Api, service: str) -> None:
    product = await merchant.product(stock=_SALES + 2)
    buyers = [new_buyer(stage) for _ in range(_SALES)]
    async with asyncio.TaskGroup() as tasks:
        selling = [tasks.create_task(sell(till, merchant, product, buyer)) for buyer in buyers]
        await until(lambda: sales_begun(stage, merchant))
        await stage.do(stage.suite.kill, service)
        await stage.do(stage.suite.start, service)
    await all_is_well(merchant, product, buyers, [task.result() for task in selling])


async def test_a_provider_killed_while_buyers_pay_costs_nothing(stage: Stage, merchant: Merchant, till: Api) -> None:
    product = await merchant.product(stock=_SALES + 2)
    buyers = [new_buyer(stage) for _ in range(_SALES)]
    waiting = [await merchant.sell(product, quantity=1, buyer=buyer) for buyer in buyers]
    async with asyncio.TaskGroup() as tasks:
        paying = [tasks.create_task(paid(till, merchant, sale)) for sale in waiting]
        await stage.do(stage.suite.kill, "twins")
        await stage.do(stage.suite.start, "twins")
    await all_is_well(merchant, product, buyers, [task.result() for task in paying])


async def test_a_power_cut_costs_nothing(stage: Stage, merchant: Merchant, till: Api) -> None:
    """Every service and every server dies at the same moment; Redis comes back empty."""
    product = await merchant.product(stock=_SALES + 2)
    buyers = [new_buyer(stage) for _ in range(_SALES)]
    servers = ("postgres", "broker", "redis")
    async with asyncio.TaskGroup() as tasks:
        selling = [tasks.create_task(sell(till, merchant, product, buyer)) for buyer in buyers]
        await until(lambda: sales_begun(stage, merchant))
        for service in stage.services:
            await stage.do(stage.suite.kill, service)
        for server in servers:
            await stage.do(getattr(stage.suite, f"stop_{server}"))
        for server in servers:
            await stage.do(getattr(stage.suite, f"start_{server}"))
        await stage.do(stage.suite.start, *stage.services, timeout=_WITHIN)
    await all_is_well(merchant, product, buyers, [task.result() for task in selling])


async def test_a_till_that_sends_to_a_dying_process_is_counted_once(stage: Stage, merchant: Merchant) -> None:
    """A batch is sent five times in any order; twice the process dies between two sales of it."""
    product, chance = await merchant.product(stock=3, price="100.00"), random.Random(5)
    named = {"businessId": merchant.business_id, "branchId": merchant.branch_id, "name": "Caja 1"}
    register = f"/cash-registers/{(await merchant.client.post('/cash-registers', named)).data(201)['id']}"
    (await merchant.client.post(f"{register}/open", {"openingCash": "0"})).data(201)
    batch = [
        {
            "id": str(uuid4()),
            "soldAt": datetime.now(UTC).isoformat(),
            "sequence": number,
            "items": [{"productId": product["id"], "quantity": 1}],
            "payment": {"method": "CASH"},
        }
        for number in range(1, _OFFLINE + 1)
    ]

    async def send() -> list[str]:
        body = {"businessId": merchant.business_id, "branchId": merchant.branch_id, "deviceId": "caja-1"}
        answer = await merchant.client.post("/sales/sync", {**body, "sales": chance.sample(batch, _OFFLINE)})
        return [item["result"] for item in answer.data()["results"]] if answer.status == 200 else []

    for stored in (_OFFLINE // 4, _OFFLINE // 2):
        sending = asyncio.create_task(send())
        await until(lambda least=stored: offline_sales_stored(stage, merchant, least))
        await stage.do(stage.suite.kill, "sales")
        await stage.do(stage.suite.start, "sales")
        await asyncio.gather(sending, return_exceptions=True)
    for _ in range(2):
        await until(send, lambda results: set(results) <= {"accepted", "duplicate"} and bool(results), within=_WITHIN)
    assert set(await send()) == {"duplicate"}

    [session] = (await merchant.client.get(f"{register}/sessions")).data()
    assert session["expectedCash"] == f"{100 * _OFFLINE}.00"
    [device] = (await merchant.client.get("/sales/sync/devices", businessId=merchant.business_id)).data()
    assert (device["sales"], device["missing"], device["repeated"]) == (_OFFLINE, 0, 0)
    # What was not there when it was sold was entered, and then sold.
    await merchant.stock_becomes(product, 0)
    await until(merchant.summary, lambda found: found["salesCount"] == _OFFLINE, within=_WITHIN)


async def offline_sales_stored(stage: Stage, merchant: Merchant, least: int) -> bool:
    query = "SELECT count(*) FROM sales.sales WHERE business_id = $1::uuid AND till IS NOT NULL"
    [row] = await stage.rows(query, merchant.business_id)
    return bool(row["count"] >= least)


async def all_is_well(merchant: Merchant, product: Json, buyers: list[Buyer], sales: list[Json]) -> None:
    """One sale, one charge, one receipt and one message for each buyer, and the right stock."""
    assert len({sale["id"] for sale in sales}) == _SALES
    listed = (await merchant.client.get("/sales", businessId=merchant.business_id, limit=100)).data()
    completed = {sale["id"] for sale in listed if sale["status"] == "COMPLETED"}
    assert completed == {sale["id"] for sale in sales}
    # What a try that was told to come again had begun is called off.
    assert {sale["status"] for sale in listed if sale["id"] not in completed} <= {"CANCELED"}
    await until(lambda: merchant.stock(product), lambda found: found == (2, 0), within=_WITHIN)

    await until(lambda: issued(merchant), lambda found: len(found) == _SALES, within=_WITHIN)
    assert sorted(invoice["saleId"] for invoice in await issued(merchant)) == sorted(completed)
    for sale, buyer in zip(sales, buyers, strict=True):
        assert (await merchant.receipt(sale)).startswith(b"%PDF")
        await written_to_once(merchant, buyer)
        journal = await merchant.stage.twins.journal(sale["transactionId"])
        assert (journal["payments"], journal["charges"]) == (1, 1)
    await until(merchant.summary, lambda found: found["salesCount"] == _SALES, within=_WITHIN)


async def sales_begun(stage: Stage, merchant: Merchant) -> bool:
    """Seen from behind, since the gateway may be what is about to die."""
    query = "SELECT count(*) FROM sales.sales WHERE business_id = $1::uuid AND transaction_id IS NOT NULL"
    [row] = await stage.rows(query, merchant.business_id)
    return bool(row["count"] >= _SALES // 4)


async def issued(merchant: Merchant) -> list[Json]:
    answer = await merchant.client.get("/invoices", businessId=merchant.business_id, status="ISSUED", limit=100)
    found: list[Json] = answer.data()
    return found


async def written_to_once(merchant: Merchant, buyer: Buyer) -> None:
    """One SMS and one e-mail. SMS and e-mail have no idempotency keys: a second one may have left when something died
    between sending and noting it, and then it must be known that it may."""
    for recipient in (buyer.phone, buyer.email):
        messages = await until(lambda to=recipient: merchant.stage.twins.messages(to=to), within=_WITHIN)
        if len(messages) > 1:
            notifications = (await merchant.client.get("/notifications", businessId=merchant.business_id)).data()
            doubtful = {one["providerMessageId"] for one in notifications if one["possiblyDuplicate"]}
            assert {message["providerId"] for message in messages} & doubtful, messages
            assert len(messages) == 2
