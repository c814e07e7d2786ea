"""Creating a payment while the provider misbehaves, or while we die: one payment there, its truth here."""

import asyncio
from datetime import timedelta

import pytest
from kernel import new_id
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("fault", ["http_500_after_charging", "garbage_json"])
async def test_an_unusable_answer_is_looked_up_at_once(till, fault):
    await till.twins.fault(fault, operation="orders.create")
    created = await till.create()
    assert created["status"] == "PENDING"
    assert created["paymentLink"]
    assert len(await till.twins.orders(created["id"])) == 1
    assert await till.types(created["id"]) == ["payment.created"]


async def test_a_timeout_after_the_order_was_made_is_looked_up_at_once(till):
    await till.twins.fault("timeout_after_charging", operation="orders.create")
    created = await till.create()
    assert len(await till.twins.orders(created["id"])) == 1


async def unknown(till, key):
    """A creation without an answer, and a look-up without one."""
    await till.twins.fault("http_500_after_charging", operation="orders.create")
    await till.twins.fault("http_500", times=None, operation="orders.search")
    await till.twins.fault("http_500", times=None, operation="orders.list")
    answer = await till.post("/intent", till.wish(), key=key)
    assert (answer.status_code, answer.json()["code"]) == (503, "payment_outcome_unknown"), answer.text
    assert answer.headers["Retry-After"] == "2"
    await till.twins.clear_faults()
    [payment] = (await till.get(businessId=str(till.business.id))).json()["data"]
    assert payment["status"] == "PENDING"
    assert payment["paymentLink"] is None
    assert payment["id"] in answer.json()["message"]
    return payment


async def test_an_unknown_outcome_is_said_and_resumed_with_the_same_key(till):
    key = str(new_id())
    payment = await unknown(till, key)
    answer = await till.post("/intent", till.wish(), key=key)
    assert answer.status_code == 201
    assert answer.json()["data"]["id"] == payment["id"]
    assert answer.json()["data"]["paymentLink"]
    assert len(await till.twins.orders(payment["id"])) == 1
    assert await till.types(payment["id"]) == ["payment.created"]


async def test_an_unknown_outcome_is_resolved_without_the_client(till):
    payment = await unknown(till, str(new_id()))
    till.sut.clock.advance(timedelta(seconds=3))
    await resolution.resolve_due(till.ctx)
    shown = await till.show(payment["id"])
    assert shown["paymentLink"]
    assert await till.types(payment["id"]) == ["payment.created"]


async def test_an_unknown_outcome_that_was_paid_meanwhile_is_confirmed(till):
    payment = await unknown(till, str(new_id()))
    await till.twins.pay(payment["id"])
    till.sut.clock.advance(timedelta(seconds=3))
    await resolution.resolve_due(till.ctx)
    assert (await till.show(payment["id"]))["status"] == "CONFIRMED"
    assert await till.types(payment["id"]) == ["payment.created", "payment.confirmed"]


async def test_while_nobody_knows_the_client_is_told_so_again(till):
    key = str(new_id())
    await till.twins.fault("timeout_before", operation="orders.create")
    first = await till.post("/intent", till.wish(), key=key)
    second = await till.post("/intent", till.wish(), key=key)
    assert {first.status_code, second.status_code} == {503}
    assert second.json()["code"] == "payment_outcome_unknown"
    [payment] = (await till.get(businessId=str(till.business.id))).json()["data"]
    assert payment["status"] == "PENDING"
    assert await till.twins.orders(payment["id"]) == []


async def test_what_the_provider_never_got_is_sent_again_once_that_is_certain(till):
    key = str(new_id())
    await till.twins.fault("timeout_before", operation="orders.create")
    assert (await till.post("/intent", till.wish(), key=key)).status_code == 503
    till.sut.clock.advance(timedelta(seconds=61))
    answer = await till.post("/intent", till.wish(), key=key)
    assert answer.status_code == 201
    payment = answer.json()["data"]
    assert len(await till.twins.orders(payment["id"])) == 1
    assert await till.types(payment["id"]) == ["payment.created"]


async def test_what_the_provider_never_got_fails_when_its_time_is_over(till):
    await till.twins.fault("timeout_before", operation="orders.create")
    await till.post("/intent", till.wish(expiresIn=300), key=str(new_id()))
    [payment] = (await till.get(businessId=str(till.business.id))).json()["data"]
    for _ in range(3):
        till.sut.clock.advance(timedelta(seconds=301))
        await resolution.resolve_due(till.ctx)
    shown = await till.show(payment["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "expired")
    assert await till.types(payment["id"]) == ["payment.failed"]


async def test_a_provider_that_is_busy_leaves_nothing_behind(till):
    key = str(new_id())
    await till.twins.fault("http_429", operation="orders.create", seconds=7)
    answer = await till.post("/intent", till.wish(), key=key)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"] == "7"
    [failed] = (await till.get(businessId=str(till.business.id))).json()["data"]
    assert (failed["status"], failed["failureReason"]) == ("FAILED", "provider_unavailable")
    # It was never announced, so nobody is told that it failed; and the key begins anew.
    assert await till.types(failed["id"]) == []
    again = await till.post("/intent", till.wish(), key=key)
    assert again.status_code == 201
    assert again.json()["data"]["id"] != failed["id"]


async def test_a_caller_that_dies_in_the_middle_is_resumed(till):
    key = str(new_id())
    await till.twins.fault("slow", operation="orders.create", seconds=0.5)
    dying = asyncio.create_task(till.post("/intent", till.wish(), key=key))
    await asyncio.sleep(0.25)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    busy = await till.post("/intent", till.wish(), key=key)
    assert (busy.status_code, busy.json()["code"]) == (409, "idempotency_in_progress")
    await asyncio.sleep(0.5)
    await till.expire_leases()
    answer = await till.post("/intent", till.wish(), key=key)
    [payment] = (await till.get(businessId=str(till.business.id))).json()["data"]
    if answer.status_code == 503:  # the call was cut before the order was made, which is known a minute later
        till.sut.clock.advance(timedelta(seconds=61))
        answer = await till.post("/intent", till.wish(), key=key)
    assert answer.status_code == 201
    assert answer.json()["data"]["id"] == payment["id"]
    assert len(await till.twins.orders(payment["id"])) == 1


async def test_a_webhook_that_is_faster_than_the_answer_wins(till):
    key = str(new_id())
    await till.twins.fault("timeout_after_charging", operation="orders.create")
    creating = asyncio.create_task(till.post("/intent", till.wish(), key=key))
    async with asyncio.timeout(5):
        listed, orders = [], []
        while not orders:
            await asyncio.sleep(0.02)
            listed = (await till.get(businessId=str(till.business.id))).json()["data"]
            orders = await till.twins.orders(listed[0]["id"]) if listed else []
    await till.twins.pay(listed[0]["id"])
    await till.webhook(listed[0], provider_ref=orders[0]["id"])
    answer = await creating
    assert answer.status_code == 201
    assert answer.json()["data"]["status"] == "CONFIRMED"
    assert await till.types(listed[0]["id"]) == ["payment.created", "payment.confirmed"]
    replay = await till.post("/intent", till.wish(), key=key)
    assert replay.content == answer.content
