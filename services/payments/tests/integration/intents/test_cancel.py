"""Giving up a payment: on request, and when its time is over."""

import asyncio

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentFailed
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration


async def cancel(till, payment, **options):
    return await till.post(f"/{payment['id']}/cancel", None, **options)


async def test_a_waiting_payment_is_ended_at_the_provider_too(till):
    created = await till.create()
    answer = await cancel(till, created)
    assert answer.status_code == 200
    assert (answer.json()["data"]["status"], answer.json()["data"]["failureReason"]) == ("FAILED", "canceled")
    [order] = await till.twins.orders(created["id"])
    assert order["payment_status"] == "canceled"
    assert await till.types(created["id"]) == ["payment.created", "payment.failed"]


async def test_canceling_twice_changes_nothing(till):
    created = await till.create()
    first, second = await cancel(till, created), await cancel(till, created)
    assert first.json() == second.json()
    assert len(await till.sut.published(PaymentFailed, aggregate_id=(await till.row(created["id"])).id)) == 1


async def test_money_that_is_there_cannot_be_canceled(till):
    paid = await till.paid()
    answer = await cancel(till, paid)
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_cancelable")


async def test_money_that_came_a_moment_before_is_kept(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    answer = await cancel(till, created)
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_cancelable")
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"
    assert await till.types(created["id"]) == ["payment.created", "payment.confirmed"]


async def test_a_provider_that_cannot_be_asked_is_asked_later(till):
    created = await till.create()
    await till.twins.fault("http_500", times=None, operation="orders.cancel")
    answer = await cancel(till, created)
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "PENDING")
    await till.twins.clear_faults()
    async with asyncio.timeout(20):
        # Its circuit may be open for a moment, and others of this database may be due before it.
        while (shown := await till.show(created["id"]))["status"] == "PENDING":
            await till.set(created["id"], next_poll_at=till.sut.clock.now())
            await resolution.resolve_due(till.ctx)
            await asyncio.sleep(0.1)
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "canceled")


async def test_a_cancellation_whose_answer_is_lost_takes_place_once(till):
    created = await till.create()
    await till.twins.fault("http_500_after_charging", operation="orders.cancel")
    await cancel(till, created)
    await till.set(created["id"], next_poll_at=till.sut.clock.now())
    await resolution.resolve_due(till.ctx)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "canceled")
    assert await till.types(created["id"]) == ["payment.created", "payment.failed"]


async def test_strangers_cancel_nothing(till):
    created = await till.create()
    assert (await cancel(till, created, by=make_principal())).status_code == 404
    assert (await till.show(created["id"]))["status"] == "PENDING"
