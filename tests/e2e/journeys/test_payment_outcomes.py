"""What becomes of a sale when the money does not come, comes late, or comes otherwise than asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from e2e.merchant import Merchant, new_buyer
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("end", "reason"), [("decline", "payment_failed"), ("expire", "payment_expired")])
async def test_a_payment_that_comes_to_nothing_gives_the_goods_back(
    stage: Stage, merchant: Merchant, end: str, reason: str
) -> None:
    product, buyer = await merchant.product(), new_buyer(stage)
    sale = await merchant.sell(product, buyer=buyer)
    assert await merchant.stock(product) == (10, 2)
    await getattr(stage.twins, end)(await merchant.order_of(sale))
    canceled = await merchant.sale_becomes(sale, "CANCELED")
    assert canceled["cancelReason"] == reason
    assert (await merchant.payment(sale))["status"] == "FAILED"
    await merchant.stock_becomes(product, 10)
    (await merchant.client.get(f"/receipts/{sale['id']}")).error(404)
    [message] = await merchant.messages_to(buyer)
    assert "no se completó" in message["text"]
    await until(merchant.summary, lambda found: found["canceledSales"] == 1)


async def test_a_canceled_sale_gives_the_goods_back(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    (await merchant.client.post(f"/sales/{sale['id']}/cancel")).data(200)
    await merchant.sale_becomes(sale, "CANCELED")
    await merchant.stock_becomes(product, 10)
    [order] = await stage.twins.orders(await merchant.order_of(sale))
    await until(lambda: order_status(stage, order["id"]), lambda status: status != "pending_payment")


async def order_status(stage: Stage, order: str) -> Any:
    return (await stage.twins.orders(order))[0]["payment_status"]


async def test_money_after_the_cancellation_sells_the_goods_after_all(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    await stage.twins.expire(await merchant.order_of(sale))
    await merchant.sale_becomes(sale, "CANCELED")
    await merchant.stock_becomes(product, 10)
    await merchant.pay(sale, force=True)
    revived = await merchant.sale_becomes(sale, "COMPLETED")
    assert revived["paymentNote"] == "late_payment_accepted"
    await merchant.stock_becomes(product, 8)
    assert (await merchant.receipt(sale)).startswith(b"%PDF")


async def test_money_after_the_cancellation_is_given_back_when_the_goods_are_gone(
    stage: Stage, merchant: Merchant
) -> None:
    product = await merchant.product(stock=2)
    sale = await merchant.sell(product, quantity=2)
    order = await merchant.order_of(sale)
    await stage.twins.expire(order)
    await merchant.sale_becomes(sale, "CANCELED")
    await merchant.stock_becomes(product, 2)
    await merchant.sell(product, quantity=2, method="CASH", tendered="200.00")
    await merchant.pay(sale, force=True)
    payment = await merchant.payment_becomes(sale, "REFUNDED")
    assert payment["refundedAmount"] == payment["amount"]
    given_back = await until(lambda: merchant.sale(sale), lambda found: found["paymentNote"] == "late_payment_refunded")
    assert given_back["status"] == "CANCELED"
    journal = await stage.twins.journal(order)
    assert journal["refunded_amount"] == journal["charged_amount"] == 17_900
    await merchant.stock_becomes(product, 0)


async def test_another_amount_than_asked_for_confirms_nothing(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    await merchant.pay(sale, amount=100)
    disputed = await until(lambda: merchant.payment(sale), lambda found: found["disputed"])
    assert disputed["status"] == "PENDING"
    assert disputed["confirmedAt"] is None
    assert (await merchant.sale(sale))["status"] == "PENDING_PAYMENT"
    assert await merchant.stock(product) == (10, 2)


async def test_money_taken_without_an_answer_is_found_and_charged_once(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    await stage.twins.fault("timeout_after_charging", operation="orders.create")
    body, key = merchant.basket(product), f"lost-answer-{product['id']}"
    answer = await merchant.client.post("/sales", body, key=key)
    if answer.status != 201:
        answer.error(503)
        answer = await until(
            lambda: merchant.client.post("/sales", body, key=key), lambda answer: answer.status == 201, within=60
        )
    sale = answer.data(201)
    await until(lambda: merchant.payment(sale), lambda found: found["providerRef"] is not None, within=60)
    await merchant.pay(sale)
    await merchant.sale_becomes(sale, "COMPLETED")
    journal = await stage.twins.journal(sale["transactionId"])
    assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, 17_900)
    await merchant.stock_becomes(product, 8)
    sales = (await merchant.client.get("/sales", businessId=merchant.business_id)).data()
    assert [found["id"] for found in sales] == [sale["id"]]


@asynccontextmanager
async def troubled(stage: Stage, kind: str) -> AsyncIterator[None]:
    """For so long, whoever creates an order gets this; also what an earlier test has left to be tried again."""
    await stage.twins.fault(kind, operation="orders.create", times=None)
    yield
    await stage.twins.clear_faults()


async def test_a_provider_that_refuses_for_a_moment(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    body, key = merchant.basket(product), f"refused-{product['id']}"
    async with troubled(stage, "http_429"):
        (await merchant.client.post("/sales", body, key=key)).error(503)
    answer = await until(lambda: merchant.client.post("/sales", body, key=key), lambda answer: answer.status == 201)
    sale = answer.data()
    await merchant.pay(sale)
    await merchant.sale_becomes(sale, "COMPLETED")
    await merchant.stock_becomes(product, 8)


async def test_a_doubtful_answer_does_not_close_the_till(stage: Stage, merchant: Merchant) -> None:
    """After a 500 nobody knows whether there is an order. The doubt is resolved later; the next sale does not wait."""
    product = await merchant.product()
    async with troubled(stage, "http_500"):
        (await merchant.client.post("/sales", merchant.basket(product))).error(503)
    sale = await merchant.sell(product)
    await merchant.pay(sale)
    await merchant.sale_becomes(sale, "COMPLETED")
    on_hand, reserved = await merchant.stock(product)
    assert (on_hand, reserved) in {(8, 0), (8, 2)}
