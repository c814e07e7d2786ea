"""A provider that cannot be searched, that tells of success alone and of no expiry: Khipu in Chile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from chassis.testing.tokens import make_principal
from kernel import Country
from payments.refunds import service as refunds
from payments.resolution import service as resolution
from psp.chile.khipu.adapter import KhipuAdapter
from psp.chile.khipu.settings import KhipuSettings
from psp.registry import ProviderRegistry
from twins.khipu.settings import KhipuTwinSettings

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(till, monkeypatch):
    """A Chilean business. The clock of the twin is the real one, that of the service a test's."""
    settings = KhipuSettings(
        api_url=till.twins.provider("khipu").api_url, api_key=KhipuTwinSettings().api_key, timeout_seconds=4
    )
    adapter = KhipuAdapter.open(till.sut.clock, settings)
    whole = ProviderRegistry([*till.ctx.providers._providers.values(), adapter])
    monkeypatch.setattr(till.ctx.providers, "_providers", whole._providers)
    business = till.sut.directory.open_business(country=Country.CL)
    yield replace(till, business=business, owner=make_principal(owns=[business.id]))
    await adapter.close()


@pytest.fixture
def twin(till):
    return till.twins.provider("khipu")


async def read_again(shop, after=21):
    shop.sut.clock.advance(timedelta(seconds=after))
    await resolution.resolve_due(shop.ctx)


@pytest.mark.parametrize("method", ["QR_DYNAMIC", "PAYMENT_LINK", "BANK_TRANSFER"])
async def test_every_method_is_an_address_of_khipus(shop, twin, method):
    created = await shop.create(amount="15050", method=method)
    assert (created["providerAdapter"], created["currency"], created["amount"]) == ("khipu", "CLP", "15050")
    [payment] = await twin.payments(created["id"])
    address = payment["simplified_transfer_url" if method == "BANK_TRANSFER" else "payment_url"]
    assert created["paymentLink"] == address
    assert (await shop.row(created["id"])).qr_content == address
    await twin.pay(created["id"])
    await read_again(shop)
    assert (await shop.show(created["id"]))["status"] == "CONFIRMED"


async def test_centavos_there_are_none(shop):
    answer = await shop.post("/intent", shop.wish(amount="150.50"))
    assert answer.status_code in (400, 422)


async def test_a_creation_without_an_answer_is_made_anew_and_paid_once(shop, twin):
    await twin.fault("http_500_after_charging", operation="payments.create")
    wish = shop.wish(amount="15050", method="PAYMENT_LINK")
    answer = await shop.post("/intent", wish, key="lost-in-chile")
    assert (answer.status_code, answer.json()["code"]) == (503, "payment_outcome_unknown")
    # As long as the first may still be on its way, nothing is sent again.
    shop.sut.clock.advance(timedelta(seconds=61))
    answer = await shop.post("/intent", wish, key="lost-in-chile")
    assert answer.status_code == 201, answer.text
    created = answer.json()["data"]
    payment_id = created["id"]
    assert (await twin.journal(payment_id))["payments"] == 2
    await twin.pay(created["providerRef"])
    await read_again(shop)
    assert (await shop.show(payment_id))["status"] == "CONFIRMED"
    assert (await twin.journal(payment_id))["charges"] == 1


async def test_an_expiry_is_concluded_and_late_money_is_told(shop, twin):
    created = await shop.create(amount="15050")
    await twin.expire(created["id"])
    await read_again(shop)
    shown = await shop.show(created["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "expired")
    await twin.pay(created["id"], force=True)
    await shop.sut.deliver(
        "payments.webhooks",
        replace_provider(shop.notification(created["providerRef"], created["id"])),
    )
    shown = await shop.show(created["id"])
    assert (shown["status"], shown["late"]) == ("CONFIRMED", True)


async def test_a_refund_is_followed_to_its_end(shop, twin):
    created = await shop.create(amount="15050")
    await twin.pay(created["id"])
    await read_again(shop)
    answer = await shop.refund(created, amount="5050")
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "PENDING")
    await twin.settle_refunds(created["id"])
    shop.sut.clock.advance(timedelta(seconds=3))
    await refunds.resolve_due(shop.ctx)
    shown = await shop.show(created["id"])
    assert (shown["status"], shown["refundedAmount"]) == ("PARTIALLY_REFUNDED", "5050")


def replace_provider(notification):
    return notification.model_copy(update={"provider": "khipu", "event_type": "payment.conciliated"})
