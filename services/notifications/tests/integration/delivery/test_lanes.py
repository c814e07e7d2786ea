"""Lanes are apart from the table to the provider."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from chassis.runtime.jobs import Job
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from contracts.events import MoneyAmount
from contracts.events.payments import PaymentConfirmed
from kernel import Money, new_id
from notifications.channels.port import Accepted, Message
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.twilio import TwilioChannel
from notifications.messages.models import Notification, content_place, recipient_place
from sqlalchemy import delete, func, insert, select

pytestmark = pytest.mark.integration

QUEUED = 3_000


async def _fill(sut: ServiceUnderTest, shop: Any) -> None:
    """A full normal lane, older than anything that comes now."""
    before = sut.clock.now() - timedelta(hours=1)
    cipher, rows = sut.context.cipher, []
    for number in range(QUEUED):
        id = new_id()
        rows.append(
            {
                "id": id,
                "business_id": shop.business.id,
                "cause_event_id": new_id(),
                "cause": "stock.low",
                "lane": "NORMAL",
                "channel": "EMAIL",
                "template": "stock_low",
                "language": "es",
                "recipient": cipher.encrypt("l@example.com", context=recipient_place(id)),
                "recipient_index": number.to_bytes(16, "big"),
                "content": cipher.encrypt('{"text": "x", "subject": "x", "html": "x"}', context=content_place(id)),
                "created_at": before,
                "next_attempt_at": before,
            }
        )
    with everyone():
        async with sut.kit.database.transaction() as unit:
            await unit.session.execute(insert(Notification), rows)


async def test_a_full_normal_lane_does_not_delay_a_payment(
    sut: ServiceUnderTest, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one of thousands of older reports goes out while the provider of reports hangs, and the payment does."""
    hanging, begun = asyncio.Event(), asyncio.Event()

    async def hangs(self: SendGridChannel, message: Message) -> Accepted:
        if message.content.text == "x":
            begun.set()
            await hanging.wait()
        return Accepted("202", "")

    async def takes(self: TwilioChannel, message: Message) -> Accepted:
        return Accepted("201", "SM1")

    monkeypatch.setattr(SendGridChannel, "send", hangs)
    monkeypatch.setattr(TwilioChannel, "send", takes)
    event = PaymentConfirmed(
        aggregate_id=new_id(),
        aggregate_version=2,
        business_id=shop.business.id,
        sale_id=None,
        amount=MoneyAmount.of(Money(17900, shop.business.currency)),
        status="CONFIRMED",
        method="PAYMENT_LINK",
        provider="conekta",
        provider_ref="ord_1",
        country=shop.business.country,
        time_zone=shop.business.time_zone,
        created_at=sut.clock.now(),
        confirmed_at=sut.clock.now(),
    )
    senders = sut.context.senders
    await _fill(sut, shop)
    with everyone():
        normal = asyncio.create_task(senders["notifications.normal"].job().run())
        try:
            await asyncio.wait_for(begun.wait(), 20)
            await sut.deliver("notifications.critical", event)

            sent = await senders["notifications.critical"].send_due()

            assert sent == 2  # by e-mail and by SMS
            assert await _count(sut, shop, "CRITICAL", "SENT") == 2
            assert await _count(sut, shop, "NORMAL", "SENT") == 0
            # One at a time: the rest is not even claimed.
            assert await _count(sut, shop, "NORMAL", None) == 1
        finally:
            normal.cancel()
            await asyncio.gather(normal, return_exceptions=True)
            hanging.set()
            await _finish(senders["notifications.normal"].job())
            async with sut.kit.database.transaction() as unit:
                await unit.session.execute(delete(Notification).where(Notification.business_id == shop.business.id))


async def _finish(job: Job) -> None:
    assert job.finish is not None
    await job.finish()


async def _count(sut: ServiceUnderTest, shop: Any, lane: str, status: str | None) -> int:
    """With this status; without one, those that somebody has in hand."""
    wanted = Notification.worker.is_not(None) if status is None else Notification.status == status
    statement = select(func.count()).where(
        Notification.business_id == shop.business.id, Notification.lane == lane, wanted
    )
    async with sut.kit.database.read() as session:
        return int((await session.execute(statement)).scalar_one())
