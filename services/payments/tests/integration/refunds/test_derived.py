"""A provider that shows no refund before it has decided: PayU in Colombia. What we conclude ourselves has time."""

from datetime import timedelta

import pytest
from kernel import Country
from payments.refunds import service as refunds
from payments.resolution import service as resolution
from sqlalchemy import text

pytestmark = pytest.mark.integration


async def test_another_refund_in_its_place_ends_ours_only_when_no_decision_can_come(till):
    shop, twin = till.at(Country.CO), till.twins.provider("payu")
    payment = await shop.create(amount="15050", method="PAYMENT_LINK")
    await shop.arrive(payment)
    await twin.pay(payment["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    made = (await shop.refund(payment, amount="5000")).json()["data"]
    assert made["status"] == "PENDING"
    # It stands there with another amount than ours, which PayU documents of no partial refund.
    await shop.run(text("UPDATE refunds SET provider_refund_ref = '1.123' WHERE id = :id"), {"id": made["id"]})
    await twin.settle_refunds(payment["id"])

    async def status_after(**time):
        shop.sut.clock.advance(timedelta(**time))
        await refunds.resolve_due(shop.ctx)
        return (await shop.get(f"/{payment['id']}/refunds")).json()["data"][0]["status"]

    assert await status_after(seconds=91) == "PENDING"
    assert await status_after(days=6) == "PENDING"
    assert (await shop.row(payment["id"])).refund_reserved == 5000
    assert await status_after(days=1) == "FAILED"


async def test_readings_keep_the_providers_pace(till):
    shop = till.at(Country.CO)
    payment = await shop.create(amount="15050", method="PAYMENT_LINK", expiresIn=3600)
    created_at = shop.sut.clock.now()
    assert (await shop.row(payment["id"])).next_poll_at == created_at + timedelta(seconds=20)
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    # By its own schedule it would be a minute.
    assert (await shop.row(payment["id"])).next_poll_at == shop.sut.clock.now() + timedelta(seconds=90)
