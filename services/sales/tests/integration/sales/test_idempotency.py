"""One Idempotency-Key, one sale."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from kernel import Unavailable

pytestmark = pytest.mark.integration


async def test_the_same_request_again_is_replayed(shop: Any) -> None:
    product, key = shop.product(), uuid4().hex
    body = shop.body(product)
    first = await shop.post(body, key=key)
    second = await shop.post(dict(reversed(body.items())), key=key)
    assert second.content == first.content
    assert second.status_code == 201
    assert second.headers["Idempotent-Replayed"] == "true"
    assert shop.stock(product) == (8, 0)
    assert len(await shop.sales()) == 1


async def test_another_request_under_the_key_is_refused(shop: Any) -> None:
    product, key = shop.product(), uuid4().hex
    await shop.post(shop.body(product), key=key)
    answer = await shop.post(shop.body(product, quantity=3), key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert shop.stock(product) == (8, 0)


async def test_keys_belong_to_their_caller(open_shop: Any) -> None:
    shop, other, key = open_shop(), open_shop(), uuid4().hex
    one = await shop.post(shop.body(shop.product()), key=key)
    two = await other.post(other.body(other.product()), key=key)
    assert one.json()["data"]["id"] != two.json()["data"]["id"]


@pytest.mark.parametrize("method", ["CASH", "QR_DYNAMIC"])
async def test_a_storm_under_one_key_sells_once(shop: Any, method: str) -> None:
    product, key = shop.product(stock=100), uuid4().hex
    body = shop.body(product, method=method)
    answers = await asyncio.gather(*(shop.post(body, key=key) for _ in range(25)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 409)
    assert len(await shop.sales()) == 1
    assert sum(shop.stock(product)) == (100 if method == "CASH" else 98)


async def test_a_refused_request_may_be_tried_again_under_its_key(shop: Any) -> None:
    product, key = shop.product(stock=1), uuid4().hex
    body = shop.body(product)
    assert (await shop.post(body, key=key)).status_code == 422
    shop.catalog.available[str(product)] = 5
    assert (await shop.post(body, key=key)).status_code == 201


async def test_a_try_without_an_answer_is_finished_by_the_next(shop: Any) -> None:
    """Payments took the order and never answered: the same key gets the sale that is already there."""
    product, key = shop.product(), uuid4().hex
    shop.payments.faults.after("CreatePayment", shop.payments.faults.hang)
    lost = await shop.post(shop.body(product), key=key)
    assert (lost.status_code, lost.json()["code"]) == (503, "payments_unavailable")
    assert lost.headers["Retry-After"]
    found = await shop.post(shop.body(product), key=key)
    assert found.status_code == 201
    [sale] = await shop.sales()
    assert found.json()["data"]["id"] == sale["id"]
    assert sale["status"] == "PENDING_PAYMENT"
    assert sale["payment"]["qrCodeUrl"]
    assert shop.stock(product) == (8, 0)


async def test_the_resumer_stores_the_answer_for_the_key(shop: Any) -> None:
    product, key = shop.product(), uuid4().hex
    shop.payments.faults.after("CreatePayment", shop.payments.faults.hang)
    assert (await shop.post(shop.body(product), key=key)).status_code == 503
    await shop.resume()
    replayed = await shop.post(shop.body(product), key=key)
    assert (replayed.status_code, replayed.headers.get("Idempotent-Replayed")) == (201, "true")
    assert len(await shop.sales()) == 1


async def test_canceling_twice_under_one_key_is_one_cancellation(shop: Any) -> None:
    sale, key = await shop.sell(shop.product()), uuid4().hex
    first, second = await shop.cancel(sale["id"], key=key), await shop.cancel(sale["id"], key=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert (await shop.events(sale["id"])).count("sale.canceled") == 1


async def test_a_cancellation_that_failed_may_be_tried_again(shop: Any) -> None:
    sale, key = await shop.sell(shop.product()), uuid4().hex
    down = shop.payments.faults.failing(Unavailable("no provider", code="provider_unavailable"))
    shop.payments.faults.before("CancelPayment", down)
    assert (await shop.cancel(sale["id"], key=key)).status_code == 503
    assert (await shop.cancel(sale["id"], key=key)).status_code == 200


async def test_a_key_of_another_cancellation_cancels_nothing(shop: Any) -> None:
    one, two, key = await shop.sell(shop.product()), await shop.sell(shop.product()), uuid4().hex
    assert (await shop.cancel(one["id"], key=key)).status_code == 200
    answer = await shop.cancel(two["id"], key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert two["transactionId"] not in shop.payments.cancel_asked
