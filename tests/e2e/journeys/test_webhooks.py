"""What the provider posts: twice, late, in another order, by a stranger, altered, and to nobody."""

from __future__ import annotations

import pytest
from kernel import new_id

from e2e.merchant import Merchant, new_buyer
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kind", ["duplicate", "late", "out_of_order", "drop", "wrong_amount", "forged", "altered"])
async def test_a_sale_is_paid_once_whatever_is_posted(stage: Stage, merchant: Merchant, kind: str) -> None:
    product, buyer = await merchant.product(), new_buyer(stage)
    sale = await merchant.sell(product, buyer=buyer)
    order = await merchant.order_of(sale)
    options = {"count": 5} if kind == "duplicate" else {}
    # Of either event: whichever the provider posts first is struck, the other goes through.
    await stage.twins.fault(kind, operation="order.paid", reference=order, **options)
    await stage.twins.pay(order)
    if kind == "drop":
        # Time passes, until the provider is asked.
        query = "UPDATE payments.payments SET next_poll_at = now() WHERE id = $1::uuid"
        await stage.rows(query, sale["transactionId"])
    completed = await merchant.sale_becomes(sale, "COMPLETED")
    assert completed["total"] == (await merchant.payment(sale))["amount"]
    await merchant.stock_becomes(product, 8)
    await merchant.receipt(sale)
    assert len(await merchant.messages_to(buyer)) == 1
    if kind in {"forged", "altered"}:
        strangers = [delivery for delivery in await stage.twins.deliveries(order) if delivery["forgery"]]
        assert [delivery["last_status"] for delivery in strangers] == [401]
    timeline = (await merchant.client.get(f"/payments/{sale['transactionId']}/timeline")).data()
    assert [entry["toStatus"] for entry in timeline if entry["kind"] == "transition"].count("CONFIRMED") == 1


async def test_a_forged_notification_alone_pays_nothing(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    order = await merchant.order_of(sale)
    event = {"type": "order.paid", "id": new_id().hex, "data": {"object": {"id": order, "object": "order"}}}
    for digest in ("", "c2lnbmVkIGJ5IG5vYm9keQ==", "\u00e9", "=" * 5000):
        answer = await stage.client.holding(None).call(
            "POST", "//webhooks/conekta", body=event, headers={"DIGEST": digest}
        )
        answer.error(401)
    (await stage.client.holding(None).call("POST", "//webhooks/conekta", body=event)).error(401)
    assert (await merchant.sale(sale))["status"] == "PENDING_PAYMENT"


async def test_a_true_notification_before_the_payment_pays_nothing(stage: Stage, merchant: Merchant) -> None:
    """The event of another order of ours is genuine, and still only a hint."""
    product = await merchant.product()
    paid, unpaid = await merchant.sell(product), await merchant.sell(product)
    await merchant.pay(paid)
    await merchant.sale_becomes(paid, "COMPLETED")
    [delivery, *_] = [
        found for found in await stage.twins.deliveries(await merchant.order_of(paid)) if found["state"] == "delivered"
    ]
    await stage.twins.resend(delivery["event_id"])
    assert (await merchant.sale(unpaid))["status"] == "PENDING_PAYMENT"
    await merchant.stock_becomes(product, 8, 2)


async def test_every_address_of_the_route_answers_alike(stage: Stage) -> None:
    nobody = stage.client.holding(None)
    for path in ("/webhooks/nobody", "//webhooks/nobody"):
        (await nobody.call("POST", path, body={})).error(404)
    for path in ("/webhooks/conekta", "//webhooks/conekta"):
        (await nobody.call("POST", path, raw=b"rubbish")).error(401)
    (await nobody.call("POST", "//webhooks/conekta", raw=b"x" * (300 << 10))).error(413)
    (await nobody.call("GET", "//webhooks/conekta")).error(401, 404, 405)


async def test_stored_events_are_for_administrators(merchant: Merchant) -> None:
    for path in ("/webhook-events", f"/webhook-events/{new_id()}"):
        (await merchant.client.get(path)).error(403, 404)
    (await merchant.client.post(f"/webhook-events/{new_id()}/replay")).error(403, 404)


async def test_a_provider_that_says_it_again_much_later(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product)
    await merchant.pay(sale)
    completed = await merchant.sale_becomes(sale, "COMPLETED")
    order = await merchant.order_of(sale)
    deliveries = await until(
        lambda: stage.twins.deliveries(order), lambda found: all(one["state"] == "delivered" for one in found)
    )
    for event in {delivery["event_id"] for delivery in deliveries}:
        await stage.twins.resend(event)
    again = await until(
        lambda: stage.twins.deliveries(order),
        lambda found: len(found) > len(deliveries) and all(one["state"] == "delivered" for one in found),
    )
    assert {delivery["last_status"] for delivery in again} == {200}
    assert (await merchant.sale(sale))["completedAt"] == completed["completedAt"]
    assert await merchant.stock(product) == (8, 0)
