"""A shop that is paid to an account of its own at the provider."""

from __future__ import annotations

import aiohttp

from e2e.countries.market import open_market
from e2e.stage import OWN_KEY, OWN_NUMBER, OWN_SECRET, Stage


async def own_account(stage: Stage, browser: aiohttp.ClientSession) -> None:
    """The provider is told where to send its webhooks, signs them with the account's secret, and is believed."""
    market = await open_market(stage, "CL", browser)
    client, query = market.merchant.client, {"businessId": market.merchant.business_id}
    body = {
        "environment": "TEST",
        "credentials": {"apiKey": OWN_KEY, "webhookSecret": OWN_SECRET, "receiverId": OWN_NUMBER},
    }
    saved = (await client.call("PUT", "/payment-accounts/khipu", body=body, query=query)).data(200)
    assert (saved["source"], saved["verification"]) == ("OWN", "VERIFIED")
    order = await market.sell()
    await order.pay()
    await order.is_sold_once(by="webhook")
    [delivery] = await market.twin.deliveries(order.payment_id)
    assert delivery["last_status"] == 200
    # The platform's secret proves nothing at this address, nor this account's at the platform's.
    address = "//" + saved["webhookUrl"].partition("//")[2].partition("/")[2]
    nobody = client.holding(None)
    (await nobody.call("POST", address, body={"transaction_id": order.payment_id})).error(401)
    (await nobody.call("POST", f"//webhooks/khipu/{'x' * 22}", body={})).error(404)
    assert (await client.call("DELETE", "/payment-accounts/khipu", query=query)).status == 204
