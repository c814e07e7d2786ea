"""A request sent again under its key takes effect once."""

from __future__ import annotations

import asyncio

import pytest
from kernel import new_id

from e2e.client import Answer
from e2e.merchant import Json, Merchant, open_shop
from e2e.operations import valid_bodies
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_CREATING = (
    "POST /businesses",
    "POST /businesses/{business_id}/branches",
    "POST /products",
    "POST /products/{product_id}/stock-movements",
    "POST /sales",
    "POST /payments/intent",
    "POST /webhook-endpoints",
)


@pytest.mark.parametrize("operation", _CREATING)
async def test_the_same_request_again_is_answered_as_before(merchant: Merchant, operation: str) -> None:
    product = await merchant.product()
    body = valid_bodies(merchant, product)[operation]
    path = operation.removeprefix("POST ").format(business_id=merchant.business_id, product_id=product["id"])
    key = str(new_id())
    first = await merchant.client.post(path, body, key=key)
    again = await merchant.client.post(path, body, key=key)
    assert again.data(201) == first.data(201)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = await merchant.client.post(path, body)
    assert other.status != 201 or other.data()["id"] != first.data()["id"]


@pytest.mark.parametrize("operation", _CREATING)
async def test_another_request_under_a_used_key_is_refused(merchant: Merchant, operation: str) -> None:
    product = await merchant.product()
    body = valid_bodies(merchant, product)[operation]
    path = operation.removeprefix("POST ").format(business_id=merchant.business_id, product_id=product["id"])
    key = str(new_id())
    (await merchant.client.post(path, body, key=key)).data(201)
    changed = next({**body, name: "Otro texto"} for name in ("name", "notes", "description", "reason") if name in body)
    (await merchant.client.post(path, changed, key=key)).error(422, code="idempotency_key_reused")


async def test_thirty_at_once_are_one_sale(merchant: Merchant) -> None:
    product, key = await merchant.product(), str(new_id())
    body = merchant.basket(product)

    async def sell() -> Answer:
        return await until(
            lambda: merchant.client.post("/sales", body, key=key), lambda answer: not is_in_progress(answer)
        )

    answers = await asyncio.gather(*(sell() for _ in range(30)))
    assert len({answer.data(201)["id"] for answer in answers}) == 1
    sales = (await merchant.client.get("/sales", businessId=merchant.business_id)).data()
    assert len(sales) == 1
    payments = (await merchant.client.get("/payments", businessId=merchant.business_id)).data()
    assert len(payments) == 1
    assert await merchant.stock(product) == (10, 2)


def is_in_progress(answer: Answer) -> bool:
    return answer.status == 409 and answer.error(409) == "idempotency_in_progress"


async def test_the_last_piece_is_sold_once(merchant: Merchant) -> None:
    product = await merchant.product(stock=3)
    bodies: list[Json] = [merchant.basket(product, quantity=1, method="CASH", tendered="100.00") for _ in range(12)]
    answers = await asyncio.gather(*(merchant.client.post("/sales", body) for body in bodies))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [422] * 9
    await merchant.stock_becomes(product, 0)


async def test_a_key_belongs_to_its_caller(stage: Stage, merchant: Merchant) -> None:
    other, key = await open_shop(stage), str(new_id())
    ours = await merchant.client.post("/products", product_of(merchant), key=key)
    theirs = await other.client.post("/products", product_of(other), key=key)
    assert ours.data(201)["id"] != theirs.data(201)["id"]


def product_of(merchant: Merchant) -> Json:
    return {"businessId": merchant.business_id, "name": "Pan", "price": "10.00"}


@pytest.mark.parametrize("key", ["short", "with a space in it", "ñandúñandú", "x" * 129, "a/b?c=d&e=f"])
async def test_a_key_that_is_none_is_refused(merchant: Merchant, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = await merchant.client.call("POST", "/products", body=product_of(merchant), headers=headers)
    answer.error(400)
