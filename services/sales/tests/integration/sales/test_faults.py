"""Peers that are down or silent, and a process that dies between any two steps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from kernel import Conflict, Unavailable

pytestmark = pytest.mark.integration


async def test_the_catalogue_being_down_fails_cleanly(shop: Any) -> None:
    product = shop.product()
    shop.catalog.faults.before("Reserve", shop.catalog.faults.failing(Unavailable("down")))
    answer = await shop.post(shop.body(product))
    assert (answer.status_code, answer.json()["code"]) == (503, "catalog_unavailable")
    await shop.resume()
    [sale] = await shop.sales()
    assert (sale["status"], sale["cancelReason"]) == ("CANCELED", "catalog_unavailable")
    assert shop.stock(product) == (10, 0)


async def test_a_reservation_without_an_answer_is_taken_back(shop: Any) -> None:
    product = shop.product()
    shop.catalog.faults.after("Reserve", shop.catalog.faults.hang)
    assert (await shop.post(shop.body(product))).status_code == 503
    assert shop.stock(product) == (8, 0)
    await shop.resume()
    assert shop.stock(product) == (10, 0)
    assert [sale["status"] for sale in await shop.sales()] == ["CANCELED"]


async def test_payments_being_down_cancels_the_sale_and_voids_what_may_exist(shop: Any) -> None:
    product = shop.product()
    down = shop.payments.faults.failing(Unavailable("down", code="provider_unavailable"))
    shop.payments.faults.after("CreatePayment", down)
    answer = await shop.post(shop.body(product))
    assert (answer.status_code, answer.json()["code"]) == (503, "payments_unavailable")
    assert shop.stock(product) == (10, 0)
    [sale] = await shop.sales()
    assert (sale["status"], sale["cancelReason"]) == ("CANCELED", "payment_unavailable")
    await shop.resume()
    assert shop.payments.of_sale(sale["id"]).status == "FAILED"
    assert await shop.events(sale["id"]) == ["sale.canceled"]


async def test_a_voided_payment_that_was_paid_is_late_money(shop: Any) -> None:
    product = shop.product()
    shop.payments.faults.after("CreatePayment", shop.payments.faults.failing(Unavailable("down")))
    await shop.post(shop.body(product))
    [sale] = await shop.sales()
    event = shop.confirmed(sale["id"])
    await shop.resume()
    await shop.deliver(event)
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("COMPLETED", "late_payment_accepted")
    assert shop.stock(product) == (8, 2)


async def test_an_unknown_outcome_at_the_provider_is_waited_for(shop: Any) -> None:
    product = shop.product()
    unknown = shop.payments.faults.failing(Unavailable("no answer yet", code="payment_outcome_unknown"))
    shop.payments.faults.after("CreatePayment", unknown)
    assert (await shop.post(shop.body(product))).status_code == 503
    await shop.resume()
    [sale] = await shop.sales()
    assert (sale["status"], sale["payment"]["status"]) == ("PENDING_PAYMENT", "PENDING")
    assert shop.stock(product) == (8, 0)


async def test_a_payment_still_being_created_elsewhere_is_waited_for(shop: Any) -> None:
    busy = shop.payments.faults.failing(Conflict("running", code="idempotency_in_progress"))
    shop.payments.faults.before("CreatePayment", busy)
    assert (await shop.post(shop.body(shop.product()))).status_code == 503
    await shop.resume()
    [sale] = await shop.sales()
    assert sale["payment"]["qrCodeUrl"]


async def test_a_confirmation_overtakes_the_answer(shop: Any) -> None:
    """The buyer pays before we hear that there is a payment."""
    product = shop.product()
    shop.payments.faults.after("CreatePayment", shop.payments.faults.hang)
    request = asyncio.create_task(shop.post(shop.body(product)))
    await asyncio.wait_for(shop.payments.faults.reached.wait(), 5)
    [sale] = await shop.sales()
    await shop.deliver(shop.confirmed(sale["id"]))
    await request
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)


async def test_a_caller_who_never_came_back_is_given_up(shop: Any) -> None:
    product = shop.product()
    await _die(shop, shop.payments, "CreatePayment", "before", shop.body(product))
    shop.sut.clock.advance(timedelta(minutes=10))
    await shop.resume()
    await shop.resume()
    [sale] = await shop.sales()
    assert (sale["status"], sale["cancelReason"]) == ("CANCELED", "payment_unavailable")
    assert shop.stock(product) == (10, 0)


CASH_CRASHES = [("catalog", "Reserve"), ("catalog", "Commit")]
QR_CRASHES = [("catalog", "Reserve"), ("payments", "CreatePayment")]
MOMENTS = ["before", "after"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("peer", "method"), CASH_CRASHES)
async def test_a_crash_while_selling_for_cash(shop: Any, peer: str, method: str, moment: str) -> None:
    product, key = shop.product(), uuid4().hex
    body = shop.body(product, method="CASH")
    await _die(shop, getattr(shop, peer), method, moment, body, key=key)
    await shop.resume()
    [sale] = await shop.sales()
    assert sale["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)
    assert await shop.events(sale["id"]) == ["sale.completed"]
    again = await shop.post(body, key=key)
    assert (again.status_code, again.json()["data"]["id"]) == (201, sale["id"])
    assert shop.stock(product) == (8, 2)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("peer", "method"), QR_CRASHES)
async def test_a_crash_while_selling_by_qr(shop: Any, peer: str, method: str, moment: str) -> None:
    product, key = shop.product(), uuid4().hex
    await _die(shop, getattr(shop, peer), method, moment, shop.body(product), key=key)
    await shop.resume()
    again = await shop.post(shop.body(product), key=key)
    assert again.status_code == 201
    [sale] = await shop.sales()
    assert again.json()["data"]["id"] == sale["id"]
    assert sale["payment"]["qrCodeUrl"]
    await shop.deliver(shop.confirmed(sale["id"]))
    assert shop.stock(product) == (8, 2)
    assert await shop.events(sale["id"]) == ["sale.created", "sale.completed"]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_while_completing(shop: Any, moment: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.confirmed(sale["id"])
    await _interrupted(shop.deliver(event), shop.catalog.faults, "Commit", moment)
    await shop.resume()
    await shop.deliver(event)
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)
    assert (await shop.events(sale["id"])).count("sale.completed") == 1


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_while_completing_a_split_sale_fills_the_drawer_once(shop: Any, moment: str) -> None:
    headers = shop.sut.as_(shop.owner)
    body = {"businessId": str(shop.business.id), "branchId": str(shop.branch.id), "name": "Caja 1"}
    register = (await shop.sut.client.post("/api/v1/cash-registers", json=body, headers=headers)).json()["data"]
    path = f"/api/v1/cash-registers/{register['id']}"
    await shop.sut.client.post(f"{path}/open", json={"openingCash": "0"}, headers=headers)
    parts = [{"method": "CASH", "amount": "50", "cashRegisterId": register["id"]}, {"method": "QR_DYNAMIC"}]
    sale = await shop.sell(shop.product(), payments=parts)
    event = shop.confirmed(sale["id"])
    await _interrupted(shop.deliver(event), shop.catalog.faults, "Commit", moment)
    await shop.resume()
    await shop.deliver(event)
    after = await shop.get(sale["id"])
    [session] = (await shop.sut.client.get(f"{path}/sessions", headers=headers)).json()["data"]
    assert (after["status"], after["cashSessionId"]) == ("COMPLETED", session["id"])
    assert session["expectedCash"] == "50.00"


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_while_giving_goods_back(shop: Any, moment: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    await _interrupted(shop.deliver(shop.failed(sale["id"])), shop.catalog.faults, "Release", moment)
    await shop.resume()
    assert (await shop.get(sale["id"]))["status"] == "CANCELED"
    assert shop.stock(product) == (10, 0)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("method", ["Reserve", "Commit"])
async def test_a_crash_while_reviving(shop: Any, method: str, moment: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    await shop.deliver(shop.failed(sale["id"]))
    event = shop.confirmed(sale["id"], late=True)
    await _interrupted(shop.deliver(event), shop.catalog.faults, method, moment)
    await shop.resume()
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)
    assert f"late-{sale['id']}" not in shop.payments.refunds


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_while_refunding_never_revives(shop: Any, moment: str) -> None:
    product = shop.product(stock=2)
    sale = await shop.sell(product)
    await shop.deliver(shop.failed(sale["id"]))
    await shop.sell(product, method="CASH")
    event = shop.confirmed(sale["id"], late=True)
    await _interrupted(shop.deliver(event), shop.payments.faults, "RefundPayment", moment)
    shop.catalog.available[str(product)] = 50
    await shop.resume()
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("CANCELED", "late_payment_refunded")
    assert f"late-{sale['id']}" in shop.payments.refunds
    assert shop.stock(product) == (50, 2)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_while_canceling(shop: Any, moment: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    await _interrupted(shop.cancel(sale["id"]), shop.payments.faults, "CancelPayment", moment)
    if moment == "after":
        await shop.deliver(shop.failed(sale["id"], "canceled"))
    else:
        assert (await shop.cancel(sale["id"])).status_code == 200
    assert (await shop.get(sale["id"]))["cancelReason"] == "canceled_by_user"
    assert shop.stock(product) == (10, 0)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("method", ["CreatePayment", "CancelPayment"])
async def test_a_crash_while_voiding(shop: Any, method: str, moment: str) -> None:
    """Nobody knew whether there is a payment; whoever was finding out dies."""
    product = shop.product()
    down = shop.payments.faults.failing(Unavailable("down", code="provider_unavailable"))
    shop.payments.faults.after("CreatePayment", down)
    assert (await shop.post(shop.body(product))).status_code == 503
    await _interrupted(shop.resume(), shop.payments.faults, method, moment)
    await shop.resume()
    [sale] = await shop.sales()
    assert sale["status"] == "CANCELED"
    assert shop.payments.of_sale(sale["id"]).status == "FAILED"
    assert shop.stock(product) == (10, 0)


async def test_two_resumers_share_the_work(shop: Any) -> None:
    product = shop.product(stock=100)
    for _ in range(6):
        await _die(shop, shop.payments, "CreatePayment", "before", shop.body(product))
    await asyncio.gather(*(shop.resume() for _ in range(3)))
    assert {sale["payment"]["status"] for sale in await shop.sales()} == {"PENDING"}
    assert shop.stock(product) == (88, 0)


async def _die(shop: Any, peer: Any, method: str, moment: str, body: Any, key: str | None = None) -> None:
    await _interrupted(shop.post(body, key=key), peer.faults, method, moment)


async def _interrupted(work: Any, faults: Any, method: str, moment: str) -> None:
    """The process dies while `method` is under way: nothing after that call is carried out, nothing is cleaned up."""
    faults.reached.clear()
    getattr(faults, moment)(method, faults.hang)
    task = asyncio.ensure_future(work)
    await asyncio.wait_for(faults.reached.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
