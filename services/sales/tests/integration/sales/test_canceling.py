"""POST /sales/:id/cancel."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from kernel import Unavailable, new_id

pytestmark = pytest.mark.integration


async def test_a_waiting_sale_is_called_off(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    answer = await shop.cancel(sale["id"])
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["status"], data["cancelReason"]) == ("CANCELED", "canceled_by_user")
    assert data["canceledAt"]
    assert shop.stock(product) == (10, 0)
    assert shop.payments.of_sale(sale["id"]).status == "FAILED"
    await shop.deliver(shop.failed(sale["id"], "canceled"))
    assert await shop.events(sale["id"]) == ["sale.created", "sale.canceled"]


async def test_the_buyer_was_faster(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.confirmed(sale["id"])
    answer = await shop.cancel(sale["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "sale_already_paid")
    await shop.deliver(event)
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"


async def test_a_completed_and_a_canceled_sale_stay_so(shop: Any) -> None:
    done = await shop.sell(shop.product(), method="CASH")
    assert (await shop.cancel(done["id"])).json()["code"] == "sale_already_paid"
    off = await shop.sell(shop.product())
    await shop.cancel(off["id"])
    assert (await shop.cancel(off["id"])).json()["code"] == "sale_not_pending"


async def test_a_missing_sale(shop: Any) -> None:
    assert (await shop.cancel(str(new_id()))).status_code == 404
    assert (await shop.cancel("not-an-id")).status_code == 400


async def test_payments_being_down_changes_nothing(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    shop.payments.faults.before("CancelPayment", shop.payments.faults.failing(Unavailable("down")))
    answer = await shop.cancel(sale["id"])
    assert (answer.status_code, answer.json()["code"]) == (503, "payments_unavailable")
    assert (await shop.get(sale["id"]))["status"] == "PENDING_PAYMENT"
    assert shop.stock(product) == (8, 0)


async def test_the_catalogue_being_down_delays_only_the_goods(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    shop.catalog.faults.before("Release", shop.catalog.faults.failing(Unavailable("down")))
    assert (await shop.cancel(sale["id"])).json()["data"]["status"] == "CANCELED"
    assert shop.stock(product) == (8, 0)
    await shop.resume()
    assert shop.stock(product) == (10, 0)


async def test_canceling_races_with_paying(shop: Any) -> None:
    """Whoever wins, goods and money agree."""
    for _ in range(5):
        product = shop.product()
        sale = await shop.sell(product)
        event = shop.confirmed(sale["id"])
        answers = await asyncio.gather(
            *(shop.cancel(sale["id"]) for _ in range(5)), *(shop.deliver(event) for _ in range(5))
        )
        assert {answer.status_code for answer in answers[:5]} == {409}
        assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
        assert shop.stock(product) == (8, 2)


async def test_canceling_races_with_expiry(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.failed(sale["id"], "expired")
    await asyncio.gather(*(shop.cancel(sale["id"]) for _ in range(5)), *(shop.deliver(event) for _ in range(5)))
    assert (await shop.get(sale["id"]))["status"] == "CANCELED"
    assert (await shop.events(sale["id"])).count("sale.canceled") == 1
    assert shop.stock(product) == (10, 0)
