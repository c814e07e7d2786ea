"""The resolver: what no webhook tells."""

import asyncio
from datetime import timedelta

import pytest
from payments import metrics
from payments.refunds import service as refunds
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration


async def pass_time(till, **time):
    till.sut.clock.advance(timedelta(**time))
    await resolution.resolve_due(till.ctx)


async def test_a_payment_whose_webhook_was_lost_is_confirmed(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    await pass_time(till, seconds=21)
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"
    assert await till.types(created["id"]) == ["payment.created", "payment.confirmed"]


async def test_a_payment_past_its_time_is_ended_there_and_here(till):
    created = await till.create(expiresIn=300)
    await pass_time(till, seconds=301)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "expired")
    [order] = await till.twins.orders(created["id"])
    assert order["payment_status"] == "canceled"
    assert await till.types(created["id"]) == ["payment.created", "payment.failed"]


async def test_money_of_the_last_moment_is_not_thrown_away(till):
    created = await till.create(expiresIn=300)
    await till.twins.pay(created["id"])
    await pass_time(till, seconds=301)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["late"]) == ("CONFIRMED", False)


async def test_money_between_the_last_reading_and_the_end_is_not_thrown_away(till):
    created = await till.create()
    row = await till.row(created["id"])
    await till.set(created["id"], expires_at=till.sut.clock.now())
    await till.twins.pay(created["id"])
    after = await resolution.stop_waiting(till.ctx, row)
    assert after.status == "CONFIRMED"


async def test_late_money_is_found_without_a_webhook(till):
    created = await till.create(expiresIn=300)
    await pass_time(till, seconds=301)
    await till.twins.pay(created["id"], force=True)
    await pass_time(till, seconds=601)
    shown = await till.show(created["id"])
    assert (shown["status"], shown["late"]) == ("CONFIRMED", True)


async def test_a_provider_that_is_away_only_makes_it_later(till):
    created = await till.create(expiresIn=300)
    await till.twins.pay(created["id"])
    await till.twins.fault("http_500", times=None, operation="orders.get", reference=created["id"])
    await pass_time(till, seconds=400)
    assert (await till.show(created["id"]))["status"] == "PENDING"
    assert (await till.row(created["id"])).next_poll_at > till.sut.clock.now()
    await till.twins.clear_faults()
    await pass_time(till, seconds=400)
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"


async def test_a_provider_without_its_keys_keeps_nobody_else_waiting(till):
    other, mine = await till.create(), await till.create()
    await till.twins.pay(mine["id"])
    await till.set(other["id"], provider="unconfigured")
    await pass_time(till, seconds=21)
    assert (await till.show(mine["id"]))["status"] == "CONFIRMED"
    assert (await till.show(other["id"]))["status"] == "PENDING"
    assert (await till.row(other["id"])).next_poll_at > till.sut.clock.now()


async def test_readings_become_rarer(till):
    created = await till.create(expiresIn=86_400)
    pauses = []
    for _ in range(3):
        row = await till.row(created["id"])
        pauses.append((row.next_poll_at - till.sut.clock.now()).total_seconds())
        till.sut.clock.advance(row.next_poll_at - till.sut.clock.now())
        await resolution.resolve_due(till.ctx)
    assert pauses == sorted(pauses)
    assert pauses[0] == 20


async def test_two_processes_never_read_the_same_payment_at_once(till):
    payments = [await till.create() for _ in range(6)]
    till.sut.clock.advance(timedelta(seconds=21))
    await asyncio.gather(*(resolution.resolve_due(till.ctx) for _ in range(4)))
    for payment in payments:
        readings = [entry for entry in await till.timeline(payment["id"]) if entry["kind"] == "reading"]
        assert len(readings) == 1


async def test_what_is_unresolved_is_measured(till):
    await till.twins.fault("timeout_before", operation="orders.create")
    await till.post("/intent", till.wish())
    till.sut.clock.advance(timedelta(seconds=100))
    await resolution.measure(till.ctx)
    await refunds.measure(till.ctx)
    assert metrics.unresolved.labels("payment")._value.get() >= 1
    assert metrics.unresolved_oldest_seconds.labels("payment")._value.get() >= 100
    assert metrics.poll_lag_seconds.labels("payment")._value.get() > 0
