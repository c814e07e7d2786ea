"""A provider without a search, without idempotency keys and without a word for what has expired: Khipu in Chile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentRefunded
from kernel import Country, new_id
from payments.refunds import service as refunds
from payments.resolution import service as resolution
from psp.capabilities import RefundSupport

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(till):
    business = till.sut.directory.open_business(country=Country.CL)
    return replace(till, business=business, owner=make_principal(owns=[business.id]))


@pytest.fixture
def twin(till):
    return till.twins.provider("khipu")


async def pass_time(shop, **time):
    shop.sut.clock.advance(timedelta(**time))
    await resolution.resolve_due(shop.ctx)


async def paid(shop, twin, **fields):
    created = await shop.create(**{"amount": "15050", **fields})
    await twin.pay(created["id"])
    await pass_time(shop, seconds=21)
    shown = await shop.show(created["id"])
    assert shown["status"] == "CONFIRMED"
    return shown


@pytest.mark.parametrize("method", ["QR_DYNAMIC", "PAYMENT_LINK", "BANK_TRANSFER"])
async def test_every_method_leads_to_a_page(shop, twin, method):
    shown = await paid(shop, twin, method=method)
    assert (shown["providerAdapter"], shown["currency"], shown["amount"]) == ("khipu", "CLP", "15050")
    assert shown["paymentLink"].startswith("http")
    assert shown["qrCodeUrl"]
    # No account to transfer to: the buyer's bank is reached by the address.
    assert shown["transfer"] is None


async def test_pesos_have_no_decimals(shop):
    answer = await shop.post("/intent", shop.wish(amount="150.50"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "amount")


async def test_an_unanswered_creation_is_made_anew_at_once(shop, twin):
    key = str(new_id())
    await twin.fault("http_500_after_charging", operation="payments.create")
    lost = await shop.post("/intent", shop.wish(amount="15050"), key=key)
    assert (lost.status_code, lost.json()["code"]) == (503, "payment_outcome_unknown")
    created = await shop.create(key=key, amount="15050")
    # The first cannot be found, and nobody knows its address.
    assert (await twin.journal(created["id"]))["payments"] == 2
    assert created["id"] in lost.json()["message"]
    again = await shop.create(key=key, amount="15050")
    assert again == created


async def test_one_that_nobody_asks_for_again_ends_with_its_time(shop, twin):
    await twin.fault("http_500_after_charging", operation="payments.create")
    lost = await shop.post("/intent", shop.wish(amount="15050", expiresIn=300))
    assert lost.status_code == 503
    [found] = (await shop.get(businessId=str(shop.business.id))).json()["data"]
    await pass_time(shop, seconds=150)
    assert (await shop.show(found["id"]))["status"] == "PENDING"
    await pass_time(shop, seconds=400)
    shown = await shop.show(found["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "expired")


async def test_what_the_provider_lets_live_is_ended_by_us(shop, twin):
    created = await shop.create(amount="15050", expiresIn=300)
    await pass_time(shop, seconds=301)
    shown = await shop.show(created["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "expired")
    [there] = await twin.payments(created["id"])
    assert there["status"] == "deleted"


@pytest.mark.parametrize(
    ("approved", "status", "back"), [(True, "PARTIALLY_REFUNDED", "5000"), (False, "CONFIRMED", "0")]
)
async def test_a_refund_is_followed_to_its_end(shop, twin, approved, status, back):
    payment = await paid(shop, twin)
    answer = await shop.refund(payment, amount="5000")
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "PENDING"), answer.text
    await twin.settle_refunds(payment["id"], approved=approved)
    shop.sut.clock.advance(timedelta(seconds=3))
    await refunds.resolve_due(shop.ctx)
    shown = await shop.show(payment["id"])
    assert (shown["status"], shown["refundedAmount"]) == (status, back)
    told = await shop.sut.published(PaymentRefunded, aggregate_id=(await shop.row(payment["id"])).id)
    assert len(told) == (1 if approved else 0)


async def test_a_method_that_cannot_be_refunded_is_said_so_before_anything_is_reserved(shop, twin, monkeypatch):
    payment = await paid(shop, twin)
    provider = shop.ctx.providers.named("khipu")
    offered = dict(provider.capabilities.methods)
    for method, capability in offered.items():
        offered[method] = replace(capability, refund=RefundSupport.NONE)
    monkeypatch.setattr(type(provider), "capabilities", replace(provider.capabilities, methods=offered))
    answer = await shop.refund(payment, amount="5000")
    assert (answer.status_code, answer.json()["code"]) == (422, "refund_not_supported")
    assert (await shop.row(payment["id"])).refund_reserved == 0
    assert (await twin.journal(payment["id"]))["refunds"] == 0
