"""What happens in a shop is told to the merchant's own server, in a form that the specification's library verifies."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook

from e2e.merchant import Merchant
from e2e.polling import until
from e2e.receiver import receiving, subscribe

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_a_sale_from_its_beginning_to_its_payment(merchant: Merchant) -> None:
    chosen = ("sale.created", "payment.created", "payment.confirmed", "sale.completed", "invoice.issued")
    async with receiving() as receiver:
        endpoint = await subscribe(merchant, receiver, *chosen)
        product = await merchant.product()
        sale = await merchant.sell(product)
        await merchant.pay(sale)
        await merchant.sale_becomes(sale, "COMPLETED")
        posts = await until(receiver.arrived, lambda posts: len(posts) >= len(chosen))

    told = {}
    for post in posts:
        event = Webhook(endpoint["secret"]).verify(post.body, post.headers)
        assert event["id"] == post.headers["webhook-id"]
        told[event["type"]] = event
    assert set(told) == set(chosen)
    completed, payment = told["sale.completed"]["data"], told["payment.confirmed"]["data"]
    assert (completed["id"], completed["total"]["amount"]) == (sale["id"], sale["total"])
    assert (payment["id"], payment["saleId"]) == (sale["transactionId"], sale["id"])
    assert told["payment.confirmed"]["sequence"] > told["payment.created"]["sequence"]
    deliveries = (await merchant.client.get(f"/webhook-endpoints/{endpoint['id']}/deliveries")).data()
    assert {one["status"] for one in deliveries} == {"DELIVERED"}
