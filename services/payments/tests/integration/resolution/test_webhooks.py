"""webhook.received: a hint, after which the provider is read again."""

from datetime import timedelta
from uuid import UUID

import pytest
from chassis.bus.received import Received
from contracts.events.auth import BusinessUpdated
from contracts.events.payments import PaymentConfirmed
from kernel import Country, Currency, new_id
from payments import metrics
from payments.resolution import service as resolution
from payments.resolution.consumers import PaymentNotHere, on_webhook

pytestmark = pytest.mark.integration


def disputed() -> float:
    return metrics.disputed.labels("conekta")._value.get()


async def test_a_paid_payment_is_confirmed_once(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    event_id = await till.webhook(created)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["late"]) == ("CONFIRMED", False)
    assert shown["confirmedAt"]
    await till.webhook(created, event_id=event_id)
    await till.webhook(created)
    [event] = await till.sut.published(PaymentConfirmed, aggregate_id=UUID(created["id"]))
    assert (event.amount.amount, event.late, event.status) == ("150.50", False, "CONFIRMED")
    assert event.aggregate_version == (await till.row(created["id"])).version


async def test_a_notification_that_lies_moves_nothing(till):
    created = await till.create()
    await till.webhook(created)  # order.paid, it says
    assert (await till.show(created["id"]))["status"] == "PENDING"


async def test_a_declined_and_an_expired_payment_fail_with_their_reason(till):
    for action, reason in ((till.twins.decline, "declined"), (till.twins.expire, "expired")):
        created = await till.create()
        await action(created["id"])
        await till.webhook(created)
        shown = await till.show(created["id"])
        assert (shown["status"], shown["failureReason"]) == ("FAILED", reason)
        assert await till.types(created["id"]) == ["payment.created", "payment.failed"]


async def test_money_after_a_failure_is_taken_and_said_to_be_late(till):
    created = await till.create()
    await till.twins.expire(created["id"])
    await till.webhook(created)
    await till.twins.pay(created["id"], force=True)
    await till.webhook(created)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["late"], shown["failureReason"]) == ("CONFIRMED", True, None)
    assert await till.types(created["id"]) == ["payment.created", "payment.failed", "payment.confirmed"]
    [event] = await till.sut.published(PaymentConfirmed, aggregate_id=UUID(created["id"]))
    assert event.late is True


async def test_stale_news_do_not_undo(till):
    paid = await till.paid()
    await till.twins.fault("unlisted_status", operation="orders.get")
    await till.webhook(paid)
    assert (await till.show(paid["id"]))["status"] == "CONFIRMED"


async def test_another_amount_is_flagged_and_never_confirmed(till):
    created = await till.create()
    await till.twins.pay(created["id"], amount=1)
    before = disputed()
    await till.webhook(created)
    await till.webhook(created)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["disputed"]) == ("PENDING", True)
    assert disputed() == before + 1
    [entry] = [entry for entry in await till.timeline(created["id"]) if entry["kind"] == "dispute"]
    assert entry["detail"] == {"differences": "amount"}
    assert await till.types(created["id"]) == ["payment.created"]
    # Nor is it given up when its time is over: there is money.
    till.sut.clock.advance(timedelta(hours=1))
    await till.set(created["id"], next_poll_at=till.sut.clock.now())
    await resolution.resolve_due(till.ctx)
    assert (await till.show(created["id"]))["status"] == "PENDING"


async def test_an_amount_that_was_only_misread_is_confirmed_later(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    await till.twins.fault("wrong_amount_read", operation="orders.get")
    await till.webhook(created)
    assert (await till.show(created["id"]))["disputed"] is True
    await till.webhook(created)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["disputed"]) == ("CONFIRMED", False)


async def test_a_status_nobody_documented_stays_pending(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    await till.twins.fault("unlisted_status", operation="orders.get")
    await till.webhook(created)
    assert (await till.show(created["id"]))["status"] == "PENDING"
    assert any(entry["detail"].get("unlisted") for entry in await till.timeline(created["id"]))
    await till.webhook(created)
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"


async def test_a_provider_that_is_away_is_left_to_the_resolver(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    await till.twins.fault("http_500", operation="orders.get")
    await till.webhook(created)
    assert (await till.show(created["id"]))["status"] == "PENDING"
    await resolution.resolve_due(till.ctx)
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"


async def test_it_is_found_by_either_reference(till):
    for by_ref, by_reference in ((True, False), (False, True)):
        created = await till.create()
        await till.twins.pay(created["id"])
        event = till.notification(created["providerRef"] if by_ref else None, created["id"] if by_reference else None)
        await till.sut.deliver("payments.webhooks", event)
        assert (await till.show(created["id"]))["status"] == "CONFIRMED"


async def test_one_that_is_not_here_yet_is_retried_and_then_somebody_elses(till):
    event = till.notification("ord_foreign", str(new_id()))
    for attempt in range(3):
        with pytest.raises(PaymentNotHere):
            await on_webhook(till.ctx, Received(new_id(), "payments.webhooks", event, till.sut.clock.now(), attempt))
    await on_webhook(till.ctx, Received(new_id(), "payments.webhooks", event, till.sut.clock.now(), 3))


async def test_a_ping_is_nothing(till):
    await till.sut.deliver("payments.webhooks", till.notification(None, None))


@pytest.mark.parametrize("reference", ["x", "'; DROP TABLE payments; --", "a" * 10_000])
async def test_a_reference_that_is_none_of_ours(till, reference):
    with pytest.raises(PaymentNotHere):
        await till.sut.deliver("payments.webhooks", till.notification("ord_foreign", reference))


async def test_somebody_elses_order_under_our_reference_confirms_nothing(till):
    mine, other = await till.create(), await till.create()
    await till.twins.pay(other["id"])
    await till.webhook(mine, provider_ref=other["providerRef"])
    assert (await till.show(mine["id"]))["status"] == "PENDING"
    assert (await till.show(mine["id"]))["disputed"] is False


async def second_order(till, payment):
    """Another order under the same reference, as a creation leaves it whose answer was lost."""
    from dataclasses import replace

    from payments.intents import drafts

    row = await till.row(payment["id"])
    request = drafts.request_of(till.ctx, till.ctx.providers.named("conekta"), replace(row))
    return (await till.ctx.providers.named("conekta").create_payment_intent(request)).provider_ref


async def test_a_forgotten_order_that_is_paid_counts(till):
    created = await till.create()
    forgotten = await second_order(till, created)
    await till.twins.pay(forgotten)
    await till.webhook(created, provider_ref=forgotten)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["providerRef"]) == ("CONFIRMED", forgotten)


async def test_a_payment_that_is_paid_twice_is_flagged(till):
    paid = await till.paid()
    forgotten = await second_order(till, paid)
    await till.twins.pay(forgotten)
    await till.webhook(paid, provider_ref=forgotten)
    shown = await till.show(paid["id"])
    assert (shown["status"], shown["disputed"], shown["providerRef"]) == ("CONFIRMED", True, paid["providerRef"])
    assert len(await till.sut.published(PaymentConfirmed, aggregate_id=UUID(paid["id"]))) == 1


async def test_a_change_of_the_business_is_forgotten_from_the_cache(till):
    event = BusinessUpdated(
        aggregate_id=till.business.id,
        aggregate_version=2,
        business_id=till.business.id,
        owner_id=new_id(),
        country=Country.MX,
        currency=Currency.MXN,
        time_zone="America/Mexico_City",
        is_active=True,
    )
    await till.sut.deliver("payments.directory", event)
