"""A transfer from the buyer's bank in Colombia (PSE): asked for with all the bank wants to know, and decided there."""

from __future__ import annotations

from typing import Any

from e2e.countries.market import PATIENCE, Market
from e2e.polling import until

_BUYER = {
    "name": "Ana López",
    "phone": "+573105550147",
    "email": "ana@example.com",
    "document": {"type": "CC", "number": "1020304050"},
    "personType": "N",
}
_DEVICE = {"ipAddress": "190.24.1.7", "userAgent": "Mozilla/5.0", "sessionId": "s-1", "cookie": "c-1"}


async def bank_transfer(market: Market) -> None:
    """One is approved, one turned down, and one left undecided, which stays so."""
    client, business = market.merchant.client, market.merchant.business_id
    banks = (await client.get("/payment-methods/banks", businessId=business)).data()
    wish = {
        "businessId": business,
        "amount": "65000",
        "method": "BANK_TRANSFER",
        "customer": _BUYER,
        "bankCode": banks[0]["code"],
        "device": _DEVICE,
    }
    without = {name: value for name, value in wish.items() if name not in ("bankCode", "device")}
    refused = await client.post("/payments/intent", without)
    assert refused.error(422) == "payer_incomplete"
    assert [one["field"] for one in refused.json["errors"]] == ["bankCode", "device"]
    approved, declined, undecided = [(await client.post("/payments/intent", wish)).data(201) for _ in range(3)]
    for payment in (approved, declined, undecided):
        await market.buyer.arrive(payment)
    await market.twin.pay(approved["id"])
    await market.twin.decline(declined["id"])
    for payment, status in ((approved, "CONFIRMED"), (declined, "FAILED")):
        await until(lambda payment=payment: _shown(market, payment), _is(status), within=PATIENCE)
    assert (await _shown(market, undecided))["status"] == "PENDING"


async def _shown(market: Market, payment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await market.merchant.client.get(f"/payments/{payment['id']}")).data()
    return found


def _is(status: str) -> Any:
    return lambda found: found["status"] == status
