"""A delivery under way when its process is killed with -9 is made again, as the same message."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook

from e2e.merchant import Json, Merchant
from e2e.polling import until
from e2e.receiver import receiving, subscribe
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# The lease of the dead, and the restart.
_WITHIN = 90.0


async def test_a_kill_in_the_middle_of_a_delivery(stage: Stage, merchant: Merchant) -> None:
    async with receiving() as receiver:
        endpoint = await subscribe(merchant, receiver, "sale.created")
        receiver.silent = True
        sale = await merchant.sell(await merchant.product())
        await until(receiver.arrived)
        await stage.do(stage.suite.kill, "webhooks")
        receiver.silent = False
        await stage.do(stage.suite.start, "webhooks")
        first, second = await until(receiver.arrived, lambda posts: len(posts) > 1, within=_WITHIN)

        async def delivered() -> Json:
            found: list[Json] = (await merchant.client.get(f"/webhook-endpoints/{endpoint['id']}/deliveries")).data()
            return found[0]

        await until(delivered, lambda delivery: delivery["status"] == "DELIVERED")

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    event = Webhook(endpoint["secret"]).verify(second.body, second.headers)
    assert event["data"]["id"] == sale["id"]
