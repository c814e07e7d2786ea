import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from chassis.testing.service import ServiceUnderTest
from contracts.events import MoneyAmount
from contracts.events.auth import UserRegistered
from contracts.events.notifications import NotificationSent
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from contracts.events.sales import SaleCanceled
from contracts.events.webhooks import WebhookEndpointDisabled
from kernel import Country, Money, Unavailable, new_id
from twins.testing import Twins

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
CRITICAL, HIGH, NORMAL = "notifications.critical", "notifications.high", "notifications.normal"


def amount(shop: Any, minor: int = 17900) -> MoneyAmount:
    return MoneyAmount.of(Money(minor, shop.business.currency))


def canceled(shop: Any, sale_id: UUID, reason: str) -> SaleCanceled:
    return SaleCanceled(
        aggregate_id=sale_id,
        aggregate_version=2,
        business_id=shop.business.id,
        branch_id=shop.branch.id,
        status="CANCELED",
        payment_method="QR_DYNAMIC",
        transaction_id=None,
        subtotal=amount(shop),
        discount=amount(shop, 0),
        tax=amount(shop, 0),
        total=amount(shop),
        time_zone=shop.business.time_zone,
        created_at=NOW,
        reason=reason,
        canceled_at=NOW,
    )


def payment(kind: Any, shop: Any, sale_id: UUID | None, **more: Any) -> Any:
    return kind(
        aggregate_id=new_id(),
        aggregate_version=2,
        business_id=shop.business.id,
        sale_id=sale_id,
        amount=amount(shop),
        status="CONFIRMED",
        method="PAYMENT_LINK",
        provider="conekta",
        provider_ref="ord_1",
        country=shop.business.country,
        time_zone=shop.business.time_zone,
        created_at=NOW,
        **more,
    )


async def test_the_buyer_gets_the_receipt_by_both_channels(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, receipt: Any, send_all: Any, phones: Any, listed: Any
) -> None:
    phone = phones()
    email = f"ana{phone[-6:]}@example.com"
    sale_id = peers.bought(name="Ana López", phone=phone, email=email)

    await sut.deliver(HIGH, receipt(shop, sale_id))
    await send_all()

    (sms,) = await twins.messages(to=phone)
    assert sms["text"] == (
        f"Abarrotes Lupita: recibimos tu pago de $179.00. Tu recibo R-00000042: https://cobro.example/r/{sale_id}"
    )
    (mail,) = await twins.messages(to=email)
    assert mail["subject"] == "Tu recibo de Abarrotes Lupita por $179.00"
    for part in ("$179.00", "R-00000042", "22 nov 2026, 19:15", f"https://cobro.example/r/{sale_id}"):
        assert part in mail["text"]
        assert part in mail["html"]
    rows = await listed(shop)
    assert {row["channel"]: row["status"] for row in rows} == {"SMS": "SENT", "EMAIL": "SENT"}
    by_channel = {row["channel"]: row for row in rows}
    assert by_channel["SMS"]["recipient"] == f"+52{'•' * 6}{phone[-4:]}"
    assert by_channel["SMS"]["providerMessageId"].startswith("SM")
    assert by_channel["EMAIL"]["recipient"] == "a•••@example.com"
    announced = await sut.published(NotificationSent)
    assert {UUID(row["id"]) for row in rows} <= {event.aggregate_id for event in announced}


async def test_the_same_event_again_writes_nothing_new(
    sut: ServiceUnderTest, peers: Any, twins: Twins, shop: Any, receipt: Any, send_all: Any, phones: Any
) -> None:
    phone = phones()
    event = receipt(shop, peers.bought(phone=phone))
    event_id = new_id()

    await asyncio.gather(*(sut.deliver(HIGH, event, id=event_id) for _ in range(6)))
    await asyncio.gather(send_all(), send_all(), send_all())
    await sut.deliver(HIGH, event, id=event_id)
    await send_all()

    assert len(await twins.messages(to=phone)) == 1


async def test_without_a_contact_there_is_nothing_to_say(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, listed: Any
) -> None:
    await sut.deliver(HIGH, receipt(shop, peers.bought(name="Ana")))
    await sut.deliver(HIGH, receipt(shop, peers.bought(phone="5512345678", email="not an address")))
    await sut.deliver(HIGH, receipt(shop, new_id()))

    assert await listed(shop) == []


async def test_while_sales_is_down_the_event_waits(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any, listed: Any
) -> None:
    sale_id = peers.bought(phone=phones())
    peers.faults[str(sale_id)] = [Unavailable("down", code="sales_unavailable")]
    event, event_id = receipt(shop, sale_id), new_id()

    with pytest.raises(Unavailable):
        await sut.deliver(HIGH, event, id=event_id)
    await sut.deliver(HIGH, event, id=event_id)

    assert len(await listed(shop)) == 1


async def test_a_business_that_is_gone_speaks_no_more(
    sut: ServiceUnderTest, peers: Any, open_shop: Any, receipt: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    shop, phone = open_shop(), phones()
    event = receipt(shop, peers.bought(phone=phone))
    del sut.directory.businesses[shop.business.id]

    await sut.deliver(HIGH, event)
    await send_all()

    assert await twins.messages(to=phone) == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [("payment_failed", True), ("payment_expired", True), ("canceled_by_user", False), ("payment_unavailable", False)],
)
async def test_a_buyer_who_left_learns_that_the_payment_did_not_go_through(
    sut: ServiceUnderTest, peers: Any, shop: Any, phones: Any, listed: Any, reason: str, told: bool
) -> None:
    await sut.deliver(HIGH, canceled(shop, peers.bought(phone=phones()), reason))

    assert [row["template"] for row in await listed(shop)] == (["payment_incomplete"] if told else [])


async def test_the_merchant_learns_of_a_payment_without_a_sale(
    sut: ServiceUnderTest, shop: Any, listed: Any, twins: Twins, send_all: Any
) -> None:
    await sut.deliver(CRITICAL, payment(PaymentConfirmed, shop, None, confirmed_at=NOW))
    await sut.deliver(CRITICAL, payment(PaymentConfirmed, shop, new_id(), confirmed_at=NOW))
    await send_all()

    rows = await listed(shop)
    assert {(row["template"], row["channel"]) for row in rows} == {
        ("payment_received", "SMS"),
        ("payment_received", "EMAIL"),
    }
    texts = [message["text"] for message in await twins.messages(to="+525512345678")]
    assert "Recibiste un pago de $179.00 en Abarrotes Lupita (enlace de pago)." in texts


async def test_the_buyer_learns_of_a_refund(
    sut: ServiceUnderTest, peers: Any, shop: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    phone = phones()
    more = {"refund_id": new_id(), "refund_amount": amount(shop, 5000), "refunded_amount": amount(shop, 9000)}

    await sut.deliver(CRITICAL, payment(PaymentRefunded, shop, peers.bought(phone=phone), refunded_at=NOW, **more))
    await sut.deliver(CRITICAL, payment(PaymentRefunded, shop, None, refunded_at=NOW, **more))
    await send_all()

    (message,) = await twins.messages(to=phone)
    assert "te devolvió $50.00" in message["text"]


async def test_a_webhook_endpoint_switched_off_is_one_email_to_the_merchant(
    sut: ServiceUnderTest, shop: Any, listed: Any
) -> None:
    event = WebhookEndpointDisabled(
        aggregate_id=new_id(),
        aggregate_version=3,
        business_id=shop.business.id,
        host="hooks.example.com",
        reason="failing",
        failing_since=NOW,
        disabled_at=NOW,
    )

    await sut.deliver(NORMAL, event)

    ((channel, template),) = [(row["channel"], row["template"]) for row in await listed(shop)]
    assert (channel, template) == ("EMAIL", "webhook_disabled")


async def test_events_that_make_us_say_nothing(sut: ServiceUnderTest, shop: Any, listed: Any) -> None:
    failed = payment(PaymentFailed, shop, None, failure_reason="expired", failed_at=NOW)
    await sut.deliver(CRITICAL, failed)
    await sut.deliver(HIGH, UserRegistered(aggregate_id=new_id(), aggregate_version=1, role="MERCHANT"))

    assert await listed(shop) == []


async def test_language_and_channels_follow_the_businesss_preferences(
    sut: ServiceUnderTest, peers: Any, open_shop: Any, receipt: Any, phones: Any, twins: Twins, send_all: Any
) -> None:
    shop, phone = open_shop(Country.CL), phones()
    body = {"businessId": str(shop.business.id), "language": "pt", "channels": {"sms": True, "email": False}}
    answer = await sut.client.put("/api/v1/notification-preferences", json=body, headers=sut.as_(shop.owner))
    assert answer.status_code == 200

    await sut.deliver(HIGH, receipt(shop, peers.bought(phone=phone, email=f"x{phone[-6:]}@example.com"), 11900))
    await send_all()

    (message,) = await twins.messages(to=phone)
    assert message["text"].startswith("Abarrotes Lupita: recebemos seu pagamento de CLP 11.900.")
    assert await twins.messages(to=f"x{phone[-6:]}@example.com") == []
