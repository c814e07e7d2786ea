"""payment.* in every order, number and lateness."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from chassis.bus.consumer import DeadLetter
from contracts.events import MoneyAmount
from contracts.events.sales import SaleCanceled
from kernel import CobroError, Conflict, Currency, RuleViolation, Unavailable, new_id

pytestmark = pytest.mark.integration


async def test_a_duplicate_confirmation_changes_nothing(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.confirmed(sale["id"])
    event_id = await shop.deliver(event)
    before = await shop.get(sale["id"])
    await shop.deliver(event, id=event_id)
    await shop.deliver(event)
    assert await shop.get(sale["id"]) == before
    assert shop.stock(product) == (8, 2)
    assert (await shop.events(sale["id"])).count("sale.completed") == 1


async def test_twenty_deliveries_at_once_complete_once(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.confirmed(sale["id"])
    await asyncio.gather(*(shop.deliver(event) for _ in range(20)))
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)
    assert (await shop.events(sale["id"])).count("sale.completed") == 1


@pytest.mark.parametrize(
    ("reason", "told"),
    [("expired", "payment_expired"), ("declined", "payment_failed"), ("canceled", "canceled_by_user")],
)
async def test_a_failed_payment_cancels_the_sale(shop: Any, reason: str, told: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    event = shop.failed(sale["id"], reason)
    event_id = await shop.deliver(event)
    await shop.deliver(event, id=event_id)
    await shop.deliver(event)
    after = await shop.get(sale["id"])
    assert (after["status"], after["cancelReason"], after["payment"]["status"]) == ("CANCELED", told, "FAILED")
    assert shop.stock(product) == (10, 0)
    [canceled] = await shop.sut.published(SaleCanceled, aggregate_id=UUID(sale["id"]))
    assert canceled.reason == told


async def test_a_failure_older_than_the_confirmation_is_ignored(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    failed = shop.failed(sale["id"])
    confirmed = shop.confirmed(sale["id"], late=True)
    await shop.deliver(confirmed)
    await shop.deliver(failed)
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)


async def test_late_money_brings_the_sale_back(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    await shop.deliver(shop.failed(sale["id"]))
    await shop.deliver(shop.confirmed(sale["id"], late=True))
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("COMPLETED", "late_payment_accepted")
    assert (after["cancelReason"], after["canceledAt"]) == (None, None)
    assert shop.stock(product) == (8, 2)
    assert shop.payments.refunds.get(f"late-{sale['id']}") is None
    assert await shop.events(sale["id"]) == ["sale.created", "sale.canceled", "sale.completed"]


async def test_late_money_without_goods_goes_back(shop: Any) -> None:
    product = shop.product(stock=2)
    sale = await shop.sell(product)
    await shop.deliver(shop.failed(sale["id"]))
    await shop.sell(product, method="CASH")
    event = shop.confirmed(sale["id"], late=True)
    await shop.deliver(event)
    shop.catalog.available[str(product)] = 50
    await shop.deliver(event)
    await shop.resume()
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("CANCELED", "late_payment_refunded")
    assert shop.payments.refunds[f"late-{sale['id']}"].amount_minor == 15050
    assert shop.stock(product) == (50, 2)
    await shop.deliver(shop.refunded(sale["id"], "150.50"))
    assert (await shop.get(sale["id"]))["refundedAmount"] == "150.50"


@pytest.mark.parametrize(
    "refusal",
    [RuleViolation("no", code="refund_exceeds_payment"), Conflict("no", code="payment_not_refundable")],
    ids=lambda refusal: refusal.code,
)
async def test_late_money_whose_refund_is_refused_is_flagged(shop: Any, refusal: CobroError) -> None:
    product = shop.product(stock=2)
    sale = await shop.sell(product)
    await shop.deliver(shop.failed(sale["id"]))
    await shop.sell(product, method="CASH")
    shop.payments.faults.before("RefundPayment", shop.payments.faults.failing(refusal))
    await shop.deliver(shop.confirmed(sale["id"], late=True))
    assert (await shop.get(sale["id"]))["paymentNote"] == "refund_failed"


async def test_late_money_is_raced_over_by_many_deliveries(shop: Any) -> None:
    """Enough goods for one of two sales: one is completed, the other refunded, whatever the interleaving."""
    product = shop.product(stock=2)
    first = await shop.sell(product)
    await shop.deliver(shop.failed(first["id"]))
    second = await shop.sell(product)
    await shop.deliver(shop.failed(second["id"]))
    events = [shop.confirmed(sale["id"], late=True) for sale in (first, second)]
    await asyncio.gather(*(shop.deliver(event) for event in events * 5))
    await shop.resume()
    after = [await shop.get(sale["id"]) for sale in (first, second)]
    assert sorted(sale["status"] for sale in after) == ["CANCELED", "COMPLETED"]
    refunded = [sale["id"] for sale in after if f"late-{sale['id']}" in shop.payments.refunds]
    assert refunded == [sale["id"] for sale in after if sale["status"] == "CANCELED"]
    assert shop.stock(product) == (0, 2)


async def test_a_confirmation_after_the_reservation_ran_out(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    shop.catalog.release(sale["id"], "expired")
    await shop.deliver(shop.confirmed(sale["id"]))
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)


async def test_a_confirmation_after_the_goods_went_to_another(shop: Any) -> None:
    product = shop.product(stock=2)
    sale = await shop.sell(product)
    shop.catalog.release(sale["id"], "expired")
    await shop.sell(product, method="CASH")
    await shop.deliver(shop.confirmed(sale["id"]))
    after = await shop.get(sale["id"])
    assert (after["status"], after["cancelReason"]) == ("CANCELED", "out_of_stock")
    assert after["paymentNote"] == "late_payment_refunded"
    assert f"late-{sale['id']}" in shop.payments.refunds
    assert await shop.events(sale["id"]) == ["sale.created", "sale.canceled"]


@pytest.mark.parametrize(("amount", "currency"), [("150.49", "MXN"), ("1505.00", "MXN"), ("150.50", "COP")])
async def test_another_amount_is_refused_and_flagged(shop: Any, amount: str, currency: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    money = MoneyAmount(amount=amount, currency=Currency(currency))
    await shop.deliver(shop.confirmed(sale["id"], amount=money))
    after = await shop.get(sale["id"])
    assert (after["status"], after["paymentNote"]) == ("PENDING_PAYMENT", "amount_mismatch")
    assert shop.stock(product) == (8, 0)
    assert (await shop.cancel(sale["id"])).json()["code"] == "sale_already_paid"
    await shop.deliver(shop.refunded(sale["id"], "150.50"))
    assert (await shop.get(sale["id"]))["status"] == "CANCELED"
    assert shop.stock(product) == (10, 0)


async def test_a_refund_before_its_confirmation(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    confirmed = shop.confirmed(sale["id"])
    refunded = shop.refunded(sale["id"], "150.50")
    await shop.deliver(refunded)
    await shop.deliver(confirmed)
    assert (await shop.get(sale["id"]))["status"] == "CANCELED"
    assert shop.stock(product) == (10, 0)


async def test_refunds_are_recorded_and_never_shrink(shop: Any) -> None:
    sale = await shop.sell(shop.product())
    await shop.deliver(shop.confirmed(sale["id"]))
    partial = shop.refunded(sale["id"], "50.00", "PARTIALLY_REFUNDED")
    whole = shop.refunded(sale["id"], "150.50")
    await shop.deliver(whole)
    await shop.deliver(partial)
    after = await shop.get(sale["id"])
    assert (after["status"], after["refundedAmount"]) == ("REFUNDED", "150.50")
    [told] = await shop.refunds(sale["id"])
    assert (told["origin"], told["amount"], [item["quantity"] for item in told["items"]]) == ("provider", "150.50", [0])
    assert (await shop.events(sale["id"])).count("sale.refunded") == 1


async def test_payments_of_no_sale_are_none_of_ours(shop: Any) -> None:
    sale = await shop.sell(shop.product())
    await shop.deliver(shop.confirmed(sale["id"]).model_copy(update={"sale_id": None}))
    assert (await shop.get(sale["id"]))["status"] == "PENDING_PAYMENT"


@pytest.mark.parametrize("change", ["business_id", "aggregate_id", "sale_id"])
async def test_a_payment_that_cannot_be_this_sales_goes_aside(shop: Any, change: str) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    with pytest.raises(DeadLetter):
        await shop.deliver(shop.confirmed(sale["id"]).model_copy(update={change: new_id()}))
    assert (await shop.get(sale["id"]))["status"] == "PENDING_PAYMENT"
    assert shop.stock(product) == (8, 0)


async def test_the_catalogue_being_down_delays_completion(shop: Any) -> None:
    product = shop.product()
    sale = await shop.sell(product)
    shop.catalog.faults.before("Commit", shop.catalog.faults.failing(Unavailable("restarting")), times=2)
    await shop.deliver(shop.confirmed(sale["id"]))
    waiting = await shop.get(sale["id"])
    assert (waiting["status"], waiting["payment"]["status"]) == ("PENDING_PAYMENT", "CONFIRMED")
    assert (await shop.cancel(sale["id"])).json()["code"] == "sale_already_paid"
    await shop.resume()
    await shop.resume()
    assert (await shop.get(sale["id"]))["status"] == "COMPLETED"
    assert shop.stock(product) == (8, 2)


async def test_a_payment_of_which_no_event_tells_is_asked_after(shop: Any) -> None:
    paid, unpaid, open_still = shop.product(), shop.product(), shop.product()
    sales = [await shop.sell(product) for product in (paid, unpaid, open_still)]
    shop.confirmed(sales[0]["id"])
    shop.failed(sales[1]["id"])
    shop.sut.clock.advance(timedelta(seconds=900 + 300))
    await shop.resume()
    assert [(await shop.get(sale["id"]))["status"] for sale in sales] == ["COMPLETED", "CANCELED", "PENDING_PAYMENT"]
    assert [shop.stock(product) for product in (paid, unpaid, open_still)] == [(8, 2), (10, 0), (8, 0)]
