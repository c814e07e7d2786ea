import asyncio
from datetime import timedelta
from typing import Any

import pytest
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest
from contracts.events.notifications import NotificationFailed, NotificationSent
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.twilio import TwilioChannel
from notifications.delivery.sending import LEASE
from notifications.messages.models import Notification
from sqlalchemy import select
from twins.testing import Twins

pytestmark = pytest.mark.integration

QUEUE = "notifications.high"


@pytest.fixture
async def faults(twins: Twins) -> Any:
    yield twins
    for twin in ("twilio", "vonage", "sendgrid", "smtp", "fcm"):
        await twins.clear_faults(twin)


@pytest.fixture
async def to(sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any) -> str:
    """A number with one message written to it, not yet sent."""
    phone: str = phones()
    await sut.deliver(QUEUE, receipt(shop, peers.bought(phone=phone)))
    return phone


async def only(listed: Any, shop: Any) -> dict[str, Any]:
    (row,) = await listed(shop)
    found: dict[str, Any] = row
    return found


async def test_a_provider_that_fails_is_tried_three_times(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("http_500", twin="twilio", reference=to, times=10)

    for _ in range(5):
        await send_all()
        sut.clock.advance(timedelta(minutes=1))

    row = await only(listed, shop)
    assert (row["status"], row["failureReason"], row["attempts"]) == ("FAILED", "provider_failed", 3)
    assert row["providerAnswer"].startswith("500")
    (announced,) = [event for event in await sut.published(NotificationFailed) if str(event.aggregate_id) == row["id"]]
    assert announced.reason == "provider_failed"
    assert await faults.messages(to=to) == []


async def test_it_waits_between_tries_and_then_succeeds(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("http_500", twin="twilio", reference=to, times=1)
    await send_all()
    await send_all()
    assert (await only(listed, shop))["status"] == "PENDING"

    sut.clock.advance(timedelta(seconds=5))
    await send_all()

    row = await only(listed, shop)
    assert (row["status"], row["attempts"], row["possiblyDuplicate"]) == ("SENT", 2, False)


async def test_throttling_uses_up_no_try(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    for twin in ("twilio", "vonage"):
        await faults.fault("http_429", twin=twin, reference=to, times=4)

    for _ in range(5):
        await send_all()
        sut.clock.advance(timedelta(minutes=1))

    row = await only(listed, shop)
    assert (row["status"], row["attempts"]) == ("SENT", 1)


async def test_silence_is_followed_by_one_more_try_which_is_marked(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("timeout_after_charging", twin="twilio", reference=to, times=1)
    await send_all()
    assert (await only(listed, shop))["status"] == "PENDING"

    sut.clock.advance(timedelta(seconds=30))
    await send_all()

    row = await only(listed, shop)
    assert (row["status"], row["possiblyDuplicate"]) == ("SENT", True)
    assert len(await faults.messages(to=to)) == 2  # Twilio has no idempotency key: at least once


async def test_twice_silent_is_given_up(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("timeout_before", twin="twilio", reference=to, times=10)

    for _ in range(4):
        await send_all()
        sut.clock.advance(timedelta(minutes=1))

    row = await only(listed, shop)
    assert (row["status"], row["failureReason"]) == ("FAILED", "no_answer")
    assert await faults.messages(to=to) == []


async def test_an_unreadable_acceptance_is_still_an_acceptance(
    sut: ServiceUnderTest, faults: Twins, shop: Any, to: str, send_all: Any, listed: Any
) -> None:
    await faults.fault("garbage_json", twin="twilio", reference=to, times=1)

    await send_all()
    await send_all()

    row = await only(listed, shop)
    assert (row["status"], row["providerMessageId"]) == ("SENT", None)
    assert len(await faults.messages(to=to)) == 1


async def test_while_the_provider_is_gone_no_try_is_used_up(
    sut: ServiceUnderTest, shop: Any, to: str, send_all: Any, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chassis.outbound import NotSent, OutboundClient

    with monkeypatch.context() as patch:

        async def nobody(*_: Any, **__: Any) -> None:
            raise NotSent("twilio", "send", "ConnectionRefusedError")

        patch.setattr(OutboundClient, "request", nobody)
        for _ in range(8):
            await send_all()
            sut.clock.advance(timedelta(minutes=1))
    waiting = await only(listed, shop)
    assert (waiting["status"], waiting["attempts"]) == ("PENDING", 0)

    await send_all()

    assert (await only(listed, shop))["status"] == "SENT"


class Killed(BaseException):
    """Like a kill -9: nothing catches it, nothing tidies up."""


@pytest.mark.parametrize("deaths", [1, 2])
async def test_a_sender_that_dies_midway_counts_as_silence(
    sut: ServiceUnderTest,
    shop: Any,
    to: str,
    send_all: Any,
    listed: Any,
    monkeypatch: pytest.MonkeyPatch,
    deaths: int,
) -> None:
    async def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(TwilioChannel, "send", dies)
        for _ in range(deaths):
            with pytest.raises(Killed), everyone():
                await sut.context.senders["notifications.high"].send_due()
            sut.clock.advance(LEASE)
    await send_all()

    row = await only(listed, shop)
    if deaths == 1:
        assert (row["status"], row["possiblyDuplicate"]) == ("SENT", True)
    else:
        assert (row["status"], row["failureReason"]) == ("FAILED", "no_answer")


async def test_many_senders_send_each_message_once(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, receipt: Any, phones: Any, send_all: Any
) -> None:
    numbers = [phones() for _ in range(20)]
    await asyncio.gather(*(sut.deliver(QUEUE, receipt(shop, peers.bought(phone=number))) for number in numbers))

    await asyncio.gather(*(send_all() for _ in range(5)))

    counts = [len(await twins.messages(to=number)) for number in numbers]
    assert counts == [1] * 20


async def test_what_the_provider_refuses_is_given_up_at_once(
    sut: ServiceUnderTest, shop: Any, to: str, send_all: Any, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # Twilio refuses an empty body with 400 and error 21602.
        patch.setattr("notifications.channels.twilio.MAX_LENGTH", 0)
        await send_all()

    row = await only(listed, shop)
    assert (row["status"], row["failureReason"], row["providerAnswer"]) == ("FAILED", "refused", "400 21602")


async def test_recipients_and_texts_are_encrypted_at_rest(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any
) -> None:
    phone = phones()
    await sut.deliver(QUEUE, receipt(shop, peers.bought(phone=phone)))

    statement = select(Notification).where(Notification.business_id == shop.business.id)
    with everyone():
        async with sut.kit.database.read() as session:
            row = (await session.execute(statement)).scalar_one()

    assert phone not in row.recipient
    assert "recibimos" not in row.content
    for event in await sut.published(NotificationSent):
        assert phone not in event.model_dump_json()


async def test_emails_survive_the_same_faults(
    sut: ServiceUnderTest, peers: Any, faults: Twins, shop: Any, receipt: Any, phones: Any, send_all: Any, listed: Any
) -> None:
    email = f"ana{phones()[-6:]}@example.com"
    await faults.fault("http_500", twin="sendgrid", reference=email, times=1)
    await faults.fault("timeout_after_charging", twin="sendgrid", reference=email, times=1)
    await sut.deliver(QUEUE, receipt(shop, peers.bought(email=email)))

    for _ in range(4):
        await send_all()
        sut.clock.advance(timedelta(minutes=1))

    row = await only(listed, shop)
    assert (row["status"], row["provider"], row["possiblyDuplicate"]) == ("SENT", SendGridChannel.provider, True)
