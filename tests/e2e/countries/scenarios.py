"""What may become of a payment, the same at every provider. Each ends in the twin's truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kernel import new_id

from e2e.countries.market import Market, Order
from e2e.polling import until

Scenario = Callable[[Market], Awaitable[None]]

_REFUND_CALL = {"MX": "orders.refund", "CO": "refunds.submit", "AR": "orders.refund", "CL": "refunds.create"}
_CREATION_CALL = {"MX": "orders.create", "AR": "orders.create", "CL": "payments.create"}


async def paid(market: Market, method: str | None = None) -> None:
    order = await market.sell(method)
    assert order.payment["providerAdapter"] == market.twin.name
    await order.pay()
    await order.is_sold_once()


async def told_by_webhook(market: Market) -> None:
    """Before any reading by schedule could have found it."""
    order = await market.sell()
    await order.pay()
    await order.is_sold_once(by="webhook")


async def webhook_lost(market: Market) -> None:
    order = await market.sell()
    await order.fault("drop")
    await order.pay()
    await order.is_sold_once(by="poll")
    assert await market.twin.deliveries(order.payment_id) == []


async def webhook_repeated(market: Market) -> None:
    order = await market.sell()
    await order.fault("duplicate", count=4)
    await order.pay()
    await order.is_sold_once(by="webhook")
    deliveries = await until(
        lambda: market.twin.deliveries(order.payment_id),
        lambda found: len(found) == 5 and all(one["state"] == "delivered" for one in found),
    )
    assert {one["last_status"] for one in deliveries} == {200}
    await order.is_sold_once()


async def webhook_forged(market: Market) -> None:
    """A stranger posts first, then the provider."""
    order = await market.sell()
    await order.fault("forged")
    await order.pay()
    await order.is_sold_once(by="webhook")
    answers = {
        one["forgery"]: one["last_status"] for one in await market.twin.deliveries(order.payment_id) if one["forgery"]
    }
    assert answers == {"forged": 401}
    for path in ("//webhooks/", "/webhooks/"):
        nobody = market.merchant.client.holding(None)
        (await nobody.call("POST", f"{path}{market.twin.name}", body={"reference": order.payment_id})).error(401)


async def declined(market: Market) -> None:
    order = await market.sell()
    await order.come()
    await market.twin.decline(order.payment_id)
    payment = await order.becomes("FAILED")
    assert payment["failureReason"] == "declined"
    assert (await order.sale_becomes("CANCELED"))["cancelReason"] == "payment_failed"
    await order.is_not_sold()


async def expired(market: Market) -> None:
    order = await market.sell()
    await order.come()
    await market.twin.expire(order.payment_id)
    payment = await order.becomes("FAILED")
    assert payment["failureReason"] == "expired"
    assert (await order.sale_becomes("CANCELED"))["cancelReason"] == "payment_expired"
    await order.is_not_sold()


async def other_amount(market: Market) -> None:
    """Money that is not what was asked for confirms nothing; a person has to look at it."""
    order = await market.sell()
    await order.come()
    await market.twin.pay(order.payment_id, amount=order.minor - 100)
    payment = await until(lambda: market.merchant.payment(order.sale), lambda found: found["disputed"], within=60)
    assert (payment["status"], payment["confirmedAt"]) == ("PENDING", None)
    assert (await market.merchant.sale(order.sale))["status"] == "PENDING_PAYMENT"
    assert await market.merchant.stock(order.product) == (10, 2)


async def answer_lost(market: Market) -> None:
    """The provider did what it was asked for and nobody heard: it is found, and charged once."""
    operation = _CREATION_CALL.get(market.shop.country)
    if operation is None:
        # Nothing is asked of this provider to create a payment; what goes unheard is how it stands.
        order = await market.sell()
        await order.fault("timeout_before", operation="orders.search")
        await order.pay()
        await order.is_sold_once()
        assert await order.was_unheard("orders.search")
        return
    key = str(new_id())
    async with market.creations:
        basket, product = await market.basket()
        await market.twin.fault("timeout_after_charging", operation=operation)
        answer = await market.merchant.client.post("/sales", basket, key=key)
    if answer.status != 201:
        answer.error(503)
        answer = await until(
            lambda: market.merchant.client.post("/sales", basket, key=key), lambda found: found.status == 201, within=60
        )
    order = await market.order(answer, product)
    assert await order.was_unheard(operation)
    await order.pay()
    await order.is_sold_once()


async def refunded(market: Market) -> None:
    order = await _sold(market)
    (await order.refund()).data(201)
    await order.refund_becomes("SUCCEEDED")
    await _is_given_back(order)


async def refund_unanswered(market: Market) -> None:
    """Carried out and unheard: it is found, and not made twice."""
    order = await _sold(market)
    operation = _REFUND_CALL[market.shop.country]
    await order.fault("timeout_after_charging", operation=operation)
    (await order.refund()).data(201)
    assert await order.was_unheard(operation)
    await order.refund_becomes("SUCCEEDED")
    await _is_given_back(order)


async def refund_refused(market: Market) -> None:
    order = await _sold(market)
    await order.fault("refund_declined")
    answer = await order.refund()
    if answer.status != 201:
        answer.error(422)
    await order.refund_becomes("FAILED")
    payment = await order.becomes("CONFIRMED")
    assert payment["refundedAmount"] in (None, "0", "0.00")
    assert (await order.journal())["refunded_amount"] == 0
    # What was refused once may be asked for again.
    (await order.refund()).data(201)
    await order.becomes("REFUNDED")
    assert (await order.journal())["refunded_amount"] == order.minor


async def _sold(market: Market) -> Order:
    order = await market.sell()
    await order.pay()
    await order.becomes("CONFIRMED")
    return order


async def _is_given_back(order: Order) -> None:
    payment = await order.becomes("REFUNDED")
    assert payment["refundedAmount"] == payment["amount"]
    journal = await order.journal()
    assert (journal["refunds"], journal["refunded_amount"]) == (1, order.minor)


# Of these some providers say nothing, so that it takes until the next reading by schedule.
AWAITED: tuple[Scenario, ...] = (webhook_lost, declined, expired)
SCENARIOS: tuple[Scenario, ...] = (
    *AWAITED,
    told_by_webhook,
    webhook_repeated,
    webhook_forged,
    other_amount,
    answer_lost,
    refunded,
    refund_unanswered,
    refund_refused,
)
