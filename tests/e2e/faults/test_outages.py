"""What everything stands on is away or frozen: what can go on does, the rest says so and comes back by itself."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from stack.suite import Suite

from e2e.client import Answer
from e2e.merchant import Json, Merchant, new_buyer, open_shop
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_RECOVERY = 60.0
# What a person at a till would call hanging.
_PROMPT = 20.0

Switch = Callable[..., None]


async def reachable(merchant: Merchant) -> None:
    """Everybody answers again. Services find each other within two seconds; until then they say when to come again.
    The merchant's token does not name the business, so that everybody has to ask auth."""
    business = {"businessId": merchant.business_id}
    for path in ("/products", "/sales", "/payments", "/invoices", "/notifications", "/analytics/summary"):
        await until(lambda path=path: merchant.client.get(path, **business), was_answered, within=_RECOVERY)


def was_answered(answer: Answer) -> bool:
    if answer.status != 200:
        answer.error(502, 503, 504)
    return answer.status == 200


@asynccontextmanager
async def without(merchant: Merchant, stop: Switch, start: Switch, **how: bool) -> AsyncIterator[None]:
    """One of the servers away for a while; no service may need a restart because of it."""
    stage = merchant.stage
    before = {service: stage.suite.restarts(service) for service in stage.services}
    pids = {service: stage.suite.pid(service) for service in stage.services}
    await stage.do(stop, stage.suite, **how)
    try:
        yield
    finally:
        await stage.do(start, stage.suite)
    await stage.do(stage.suite.wait_until_ready, timeout=_RECOVERY)
    await reachable(merchant)
    assert {service: stage.suite.restarts(service) for service in stage.services} == before
    assert {service: stage.suite.pid(service) for service in stage.services} == pids


@asynccontextmanager
async def down(merchant: Merchant, service: str) -> AsyncIterator[None]:
    stage = merchant.stage
    await stage.do(stage.suite.kill, service)
    try:
        yield
    finally:
        await stage.do(stage.suite.start, service)
    await reachable(merchant)


async def prompt(call: Any) -> Answer:
    """An answer in a time that nobody calls hanging."""
    began = time.monotonic()
    answer: Answer = await call
    assert time.monotonic() - began < _PROMPT, answer
    return answer


async def delivered(stage: Stage, order: str) -> None:
    """Every webhook of this order was answered with 200."""
    await until(
        lambda: stage.twins.deliveries(order),
        lambda found: found and all(one["state"] == "delivered" for one in found),
        within=_RECOVERY,
    )


async def ends_well(merchant: Merchant, product: Json, sale: Json, *, left: int) -> None:
    await merchant.sale_becomes(sale, "COMPLETED", within=_RECOVERY)
    await until(lambda: merchant.stock(product), lambda found: found == (left, 0), within=_RECOVERY)
    assert (await merchant.receipt(sale)).startswith(b"%PDF")


async def works_again(stage: Stage) -> None:
    """A new merchant gets a sale through, from registration to report."""

    async def open_() -> Merchant | None:
        try:
            return await open_shop(stage)
        except AssertionError:
            return None

    merchant = await until(open_, within=_RECOVERY)
    assert merchant is not None
    product, buyer = await merchant.product(), new_buyer(stage)
    sale = await merchant.sell(product, buyer=buyer)
    await merchant.pay(sale)
    await ends_well(merchant, product, sale, left=8)
    await merchant.messages_to(buyer)
    await until(merchant.summary, lambda found: found["salesCount"] == 1)


@pytest.mark.parametrize("pause", [False, True], ids=["down", "frozen"])
async def test_without_the_broker_sales_and_webhooks_are_taken_and_their_events_follow(
    stage: Stage, merchant: Merchant, pause: bool
) -> None:
    product, buyer = await merchant.product(), new_buyer(stage)
    before = await merchant.sell(product, buyer=buyer)
    async with without(merchant, Suite.stop_broker, Suite.start_broker, pause=pause):
        cash = (
            await prompt(
                merchant.client.post(
                    "/sales", merchant.basket(product, quantity=1, method="CASH", tendered="100.00", buyer=buyer)
                )
            )
        ).data(201)
        assert cash["status"] == "COMPLETED"
        during = (await prompt(merchant.client.post("/sales", merchant.basket(product, buyer=buyer)))).data(201)
        for sale in (before, during):
            await merchant.pay(sale)
            await delivered(stage, await merchant.order_of(sale))
        assert (await merchant.sale(during))["status"] == "PENDING_PAYMENT"
    for sale in (before, during, cash):
        await ends_well(merchant, product, sale, left=5)
    assert len(await merchant.messages_to(buyer, 3)) == 3
    await until(merchant.summary, lambda found: found["salesCount"] == 3, within=_RECOVERY)


@pytest.mark.parametrize("pause", [False, True], ids=["down", "frozen"])
async def test_without_redis_everything_works(stage: Stage, merchant: Merchant, pause: bool) -> None:
    product = await merchant.product()
    ended = await merchant.log_in()
    async with without(merchant, Suite.stop_redis, Suite.start_redis, pause=pause):
        (await prompt(merchant.client.get("/auth/me"))).data(200)
        tokens = await merchant.log_in()
        client = merchant.client.holding(tokens["accessToken"])
        (await prompt(client.get("/auth/me"))).data(200)
        other = await open_shop(stage)
        (await prompt(other.client.post("/sales", other.basket(await other.product())))).data(201)
        sale = (await prompt(merchant.client.post("/sales", merchant.basket(product)))).data(201)
        await merchant.pay(sale)
        await ends_well(merchant, product, sale, left=8)
        leaving = merchant.client.holding(ended["accessToken"])
        assert (await prompt(leaving.post("/auth/logout"))).status == 204
    # What ended meanwhile has ended for the gateway too, as soon as Redis can be told.
    (await until(lambda: leaving.get("/auth/me"), lambda answer: answer.status != 200)).error(401)
    (await merchant.client.get("/auth/me")).data(200)


@pytest.mark.parametrize("pause", [False, True], ids=["down", "frozen"])
async def test_without_postgresql_everything_says_so_and_recovers_by_itself(
    stage: Stage, merchant: Merchant, pause: bool
) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    key, body = f"outage-{product['id']}", merchant.basket(product, quantity=1, method="CASH", tendered="100.00")
    async with without(merchant, Suite.stop_postgres, Suite.start_postgres, pause=pause):
        calls = [
            merchant.client.get("/businesses"),
            merchant.client.get(f"/products/{product['id']}"),
            merchant.client.get(f"/sales/{sale['id']}"),
            merchant.client.get(f"/payments/{sale['transactionId']}"),
            merchant.client.get("/invoices"),
            merchant.client.get("/notifications"),
            merchant.client.post("/sales", body, key=key),
            merchant.client.holding(None).post("/auth/login", {"phone": merchant.phone, "password": merchant.password}),
        ]
        for answer in await asyncio.gather(*(prompt(call) for call in calls)):
            answer.error(*((503, 504) if pause else (503,)))
    await works_again(stage)
    again = await until(
        lambda: merchant.client.post("/sales", body, key=key), lambda answer: answer.status == 201, within=_RECOVERY
    )
    await merchant.pay(sale)
    await ends_well(merchant, product, sale, left=7)
    assert (await merchant.sale(again.data()))["status"] == "COMPLETED"


async def test_without_catalog_nothing_is_sold_and_the_rest_goes_on(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    key = f"no-catalog-{product['id']}"
    async with down(merchant, "catalog"):
        (await prompt(merchant.client.get("/products", businessId=merchant.business_id))).error(502, 503)
        refused = await prompt(merchant.client.post("/sales", merchant.basket(product), key=key))
        refused.error(503, code="catalog_unavailable")
        assert (await prompt(merchant.client.get(f"/sales/{sale['id']}"))).status == 200
        assert (await prompt(merchant.client.get(f"/payments/{sale['transactionId']}"))).status == 200
        await merchant.pay(sale)
        await merchant.payment_becomes(sale, "CONFIRMED")
    await merchant.sale_becomes(sale, "COMPLETED", within=_RECOVERY)
    again = await until(
        lambda: merchant.client.post("/sales", merchant.basket(product), key=key),
        lambda answer: answer.status == 201,
        within=_RECOVERY,
    )
    await until(lambda: merchant.stock(product), lambda found: found == (8, 2), within=_RECOVERY)
    assert again.data()["status"] == "PENDING_PAYMENT"


async def test_without_payments_cash_is_taken(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    waiting = await merchant.sell(product)
    order, key = await merchant.order_of(waiting), f"no-payments-{product['id']}"
    async with down(merchant, "payments"):
        (await prompt(merchant.client.get(f"/payments/{waiting['transactionId']}"))).error(502, 503)
        refused = await prompt(merchant.client.post("/sales", merchant.basket(product, quantity=1), key=key))
        refused.error(503, code="payments_unavailable")
        cash = await merchant.sell(product, quantity=1, method="CASH", tendered="100.00")
        assert cash["status"] == "COMPLETED"
        await stage.twins.pay(order)
        await delivered(stage, order)
    await merchant.sale_becomes(waiting, "COMPLETED", within=_RECOVERY)
    again = await until(
        lambda: merchant.client.post("/sales", merchant.basket(product, quantity=1), key=key),
        lambda answer: answer.status == 201,
        within=_RECOVERY,
    )
    assert again.data()["status"] == "PENDING_PAYMENT"
    await until(lambda: merchant.stock(product), lambda found: found == (7, 1), within=_RECOVERY)


async def test_without_auth_who_is_logged_in_goes_on_selling(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    logged_in = replace(merchant, client=merchant.client.holding((await merchant.log_in())["accessToken"]))
    client = logged_in.client
    await logged_in.sell(product)
    async with down(merchant, "auth"):
        credentials = {"phone": merchant.phone, "password": merchant.password}
        (await prompt(client.holding(None).post("/auth/login", credentials))).error(502, 503)
        (await prompt(client.get("/auth/me"))).error(502, 503)
        (await prompt(client.get("/sales", businessId=merchant.business_id))).data(200)
        sale = (await prompt(client.post("/sales", merchant.basket(product)))).data(201)
        await logged_in.pay(sale)
        await logged_in.sale_becomes(sale, "COMPLETED")
        forged = client.holding(f"{client.token}"[:-8] + "AAAAAAAA")
        (await prompt(forged.get("/sales"))).error(401)
    assert (await merchant.log_in())["accessToken"]


async def test_without_webhooks_notifications_come_again(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    async with down(merchant, "webhooks"):
        nobody = stage.client.holding(None)
        (await prompt(nobody.call("POST", "//webhooks/conekta", body={}))).error(502, 503)
        await merchant.pay(sale)
    await ends_well(merchant, product, sale, left=8)
    await delivered(stage, await merchant.order_of(sale))


@pytest.mark.parametrize(
    ("service", "path"),
    [("billing", "/invoices"), ("notifications", "/notifications"), ("analytics", "/analytics/summary")],
)
async def test_without_what_follows_a_sale_it_completes_all_the_same(
    stage: Stage, merchant: Merchant, service: str, path: str
) -> None:
    product, buyer = await merchant.product(), new_buyer(stage)
    async with down(merchant, service):
        (await prompt(merchant.client.get(path, businessId=merchant.business_id))).error(502, 503)
        sale = await merchant.sell(product, buyer=buyer)
        await merchant.pay(sale)
        await merchant.sale_becomes(sale, "COMPLETED")
        health = (await stage.client.call("GET", "//health")).json
        assert set(health["services"]) == set(stage.services) - {"gateway"}
    await ends_well(merchant, product, sale, left=8)
    assert len(await merchant.messages_to(buyer)) == 1
    await until(merchant.summary, lambda found: found["salesCount"] == 1, within=_RECOVERY)


async def test_without_sales_payments_are_confirmed_and_the_sale_follows(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    async with down(merchant, "sales"):
        (await prompt(merchant.client.get("/sales"))).error(502, 503)
        (await prompt(merchant.client.post("/sales", merchant.basket(product)))).error(502, 503)
        await merchant.pay(sale)
        await merchant.payment_becomes(sale, "CONFIRMED")
    await ends_well(merchant, product, sale, left=8)


async def test_a_frozen_service_holds_nobody_up(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    await stage.do(stage.suite.kill, "catalog", signal.SIGSTOP)
    try:
        calls = (
            merchant.client.get(f"/products/{product['id']}"),
            merchant.client.post("/sales", merchant.basket(product)),
        )
        for answer in await asyncio.gather(*(prompt(call) for call in calls)):
            answer.error(502, 503, 504)
        (await prompt(merchant.client.get("/sales", businessId=merchant.business_id))).data(200)
    finally:
        await stage.do(stage.suite.kill, "catalog", signal.SIGCONT)
    await stage.do(stage.suite.wait_until_ready, ["catalog"], timeout=_RECOVERY)
    await until(lambda: merchant.stock(product), lambda found: found[0] == 10, within=_RECOVERY)
