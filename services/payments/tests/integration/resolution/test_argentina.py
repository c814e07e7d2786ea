"""A provider with QR codes of its own, whose refunds take their time: Mercado Pago in Argentina."""

from dataclasses import replace
from datetime import timedelta

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentRefunded
from kernel import Country
from payments.refunds import service as refunds
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(till):
    business = till.sut.directory.open_business(country=Country.AR)
    return replace(till, business=business, owner=make_principal(owns=[business.id]))


@pytest.fixture
def twin(till):
    return till.twins.provider("mercadopago")


async def test_a_qr_code_is_the_providers_own_and_is_paid(shop, twin):
    created = await shop.create()
    assert (created["providerAdapter"], created["currency"]) == ("mercadopago", "ARS")
    assert created["paymentLink"] is None
    [order] = await twin.payments(created["id"])
    assert (await shop.row(created["id"])).qr_content == order["type_response"]["qr_data"]
    await twin.pay(created["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    assert (await shop.show(created["id"]))["status"] == "CONFIRMED"


async def test_a_link_is_offered_and_a_transfer_is_not(shop):
    created = await shop.create(method="PAYMENT_LINK")
    assert created["paymentLink"].endswith(created["providerRef"])
    answer = await shop.post("/intent", shop.wish(method="BANK_TRANSFER"))
    assert (answer.status_code, answer.json()["code"]) == (422, "method_not_supported")


async def test_an_unanswered_creation_is_found_by_our_reference(shop, twin):
    await twin.fault("http_500_after_charging", operation="orders.create")
    created = await shop.create(method="PAYMENT_LINK")
    assert created["status"] == "PENDING"
    assert (await twin.journal(created["id"]))["payments"] == 1


@pytest.mark.parametrize(
    ("approved", "status", "refunded"), [(True, "REFUNDED", "150.50"), (False, "CONFIRMED", "0.00")]
)
async def test_a_refund_is_followed_to_its_end(shop, twin, approved, status, refunded):
    payment = await shop.create(method="PAYMENT_LINK")
    await twin.pay(payment["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    answer = await shop.refund(payment)
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "PENDING")
    assert (await shop.show(payment["id"]))["status"] == "CONFIRMED"
    assert (await shop.refund(payment, amount="1.00")).json()["code"] == "refund_exceeds_payment"

    await twin.settle_refunds(payment["id"], approved=approved)
    shop.sut.clock.advance(timedelta(seconds=3))
    await refunds.resolve_due(shop.ctx)
    shown = await shop.show(payment["id"])
    assert (shown["status"], shown["refundedAmount"]) == (status, refunded)
    told = await shop.sut.published(PaymentRefunded, aggregate_id=(await shop.row(payment["id"])).id)
    assert len(told) == (1 if approved else 0)


async def test_part_of_a_qr_payment_cannot_be_given_back(shop, twin):
    payment = await shop.create()
    await twin.pay(payment["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    answer = await shop.refund(payment, amount="50.00")
    assert (answer.status_code, answer.json()["code"]) == (422, "partial_refund_not_supported")
    assert (await shop.row(payment["id"])).refund_reserved == 0
    assert (await shop.refund(payment)).json()["data"]["amount"] == "150.50"


async def test_a_whole_day_is_not_too_long_for_a_code(shop):
    assert (await shop.create(expiresIn=86_400))["status"] == "PENDING"
    answer = await shop.post("/intent", shop.wish(expiresIn=90_000))
    assert (answer.status_code, answer.json()["code"]) == (422, "payment_rejected")
