"""The provider's list of a day against ours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from kernel import Country, FixedClock, new_id
from payments import metrics
from payments.reconciliation import repository, service
from sqlalchemy import text

pytestmark = pytest.mark.integration

ADMIN = make_principal(role=Role.ADMIN)
_PATH = "/api/v1/reconciliations"


@pytest.fixture
def today():
    """The twin lives in the present."""
    return datetime.now(UTC).date()


@pytest.fixture
def later(till, today):
    """The service's context once that day has settled."""
    tomorrow = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1, hours=3)
    return replace(till.ctx, clock=FixedClock(max(tomorrow, till.sut.clock.now())))


async def made(till, **fields):
    created = await till.create(**fields)
    await till.set(created["id"], created_at=datetime.now(UTC))
    return created


async def run(ctx, day, provider="conekta"):
    """A reconciliation to its end."""

    async def begin(unit):
        return await service.request(ctx, unit, provider, day)

    wanted = await ctx.database.run(begin)
    await service.run_due(ctx)
    return await repository.find(ctx.database, wanted.id)


async def found_of(ctx, done, payment):
    found = await repository.found_by(ctx.database, done.id, 10_000)
    return [
        (difference.kind, difference.fields, difference.repaired)
        for difference in found
        if payment["providerRef"] == difference.provider_ref or str(difference.payment_id) == payment["id"]
    ]


async def test_what_is_the_same_is_not_reported(till, later, today):
    waiting, paid = await made(till), await till.paid()
    await till.refund(paid, amount="50.00")
    done = await run(later, today)
    assert (done.status, done.failure) == ("DONE", None)
    assert done.theirs >= 2
    assert done.ours >= 1
    assert await found_of(later, done, waiting) == await found_of(later, done, paid) == []


async def test_money_nobody_told_us_of_is_found_and_taken(till, later, today):
    created = await made(till)
    await till.twins.pay(created["id"])
    done = await run(later, today)
    assert await found_of(later, done, created) == [("DIFFERENT", "status", True)]
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"
    assert "reconciliation" in {entry["cause"] for entry in await till.timeline(created["id"])}
    # The next time there is nothing to tell.
    assert await found_of(later, await run(later, today), created) == []


async def test_what_the_provider_does_not_have_is_missing(till, later, today):
    created = await made(till)
    ahead = datetime.now(UTC) + timedelta(days=9)
    await till.set(created["id"], provider_ref=f"ord_{new_id().hex}", expires_at=ahead)
    created = await till.show(created["id"])
    done = await run(later, today)
    assert await found_of(later, done, created) == [("MISSING", "payment", False)]
    assert (await till.show(created["id"]))["status"] == "PENDING"


async def test_money_that_belongs_to_no_payment_is_extra(till, later, today):
    paid, unpaid = await till.paid(), await till.create()
    for payment in (paid, unpaid):
        for statement in ("DELETE FROM payment_events WHERE payment_id = :id", "DELETE FROM payments WHERE id = :id"):
            await till.run(text(statement), {"id": UUID(payment["id"])})
    done = await run(later, today)
    assert await found_of(later, done, paid) == [("EXTRA", "payment", False)]
    assert await found_of(later, done, unpaid) == []


async def test_what_was_confirmed_by_hand_stays_different(till, later, today):
    created = await made(till)
    await till.post(f"/{created['id']}/confirm", {}, by=ADMIN)
    done = await run(later, today)
    assert await found_of(later, done, created) == [("DIFFERENT", "status", False)]
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"
    await service.measure(later)
    assert metrics.unreconciled.labels("conekta", "DIFFERENT")._value.get() >= 1


async def test_another_amount_is_flagged(till, later, today):
    created = await made(till)
    await till.twins.pay(created["id"], amount=100)
    done = await run(later, today)
    [(kind, fields, repaired)] = await found_of(later, done, created)
    assert (kind, repaired) == ("DIFFERENT", False)
    assert "amount" in fields.split(",")
    assert (await till.show(created["id"]))["disputed"] is True


async def test_a_provider_that_is_away_is_asked_again(till, later, today):
    await till.twins.fault("http_500", operation="orders.search", times=None)
    waiting = await run(later, today)
    assert waiting.status == "PENDING"
    assert waiting.failure
    await till.twins.clear_faults()
    assert await service.run_due(later) == 0
    afterwards = replace(later, clock=FixedClock(later.clock.now() + timedelta(minutes=11)))
    assert await service.run_due(afterwards) == 1
    assert (await repository.find(later.database, waiting.id)).status == "DONE"


async def test_every_day_is_scheduled_once(till, later, today):
    for _ in range(3):
        await service.schedule(later)
    rows = await till.run(
        text("SELECT provider FROM reconciliations WHERE origin = 'schedule' AND day = :day"),
        {"day": (later.clock.now() - timedelta(hours=2)).date() - timedelta(days=1)},
    )
    assert sorted(row.provider for row in rows) == ["conekta", "khipu", "mercadopago", "payu"]
    await service.run_due(later)


async def test_administrators_ask_for_it_and_see_it(till, today):
    day = str(today - timedelta(days=1))
    headers = {**till.sut.as_(ADMIN), "Idempotency-Key": str(new_id())}
    body = {"provider": "conekta", "day": day}
    first, again = [await till.sut.client.post(_PATH, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.content) == (202, first.content)
    wanted = first.json()["data"]
    assert (wanted["status"], wanted["day"]) == ("PENDING", day)
    await service.run_due(till.ctx)
    shown = (await till.sut.client.get(f"{_PATH}/{wanted['id']}", headers=headers)).json()["data"]
    assert (shown["status"], shown["failure"]) == ("DONE", None)
    assert isinstance(shown["differences"], list)
    listed = (await till.sut.client.get(_PATH, headers=headers, params={"provider": "conekta"})).json()["data"]
    assert wanted["id"] in {entry["id"] for entry in listed}
    assert (await till.sut.client.get(f"{_PATH}/{new_id()}", headers=headers)).status_code == 404


COUNTRIES = {"mercadopago": Country.AR, "khipu": Country.CL, "payu": Country.CO}


async def waiting(till, provider):
    """A payment the buyer has come to, which at PayU is when it first exists."""
    created = await till.create(amount="15050", method="PAYMENT_LINK")
    assert created["providerAdapter"] == provider
    await till.arrive(created)
    await till.set(created["id"], created_at=datetime.now(UTC))
    return created


@pytest.mark.parametrize("provider", COUNTRIES)
async def test_every_provider_is_reconciled_as_far_as_it_tells(till, later, today, provider):
    till = till.at(COUNTRIES[provider])
    twin = till.twins.provider(provider)
    await till.run(text("UPDATE payments SET next_poll_at = NULL"))
    same, unheard, other, absent, extra = [await waiting(till, provider) for _ in range(5)]
    await twin.pay(unheard["id"])
    await twin.pay(other["id"], amount=100)
    await twin.pay(extra["id"])
    missing = {"mercadopago": "ORD0", "khipu": "abcdefghijkl", "payu": "1"}[provider]
    await till.set(absent["id"], provider_ref=missing)
    for statement in ("DELETE FROM payment_events WHERE payment_id = :id", "DELETE FROM payments WHERE id = :id"):
        await till.run(text(statement), {"id": UUID(extra["id"])})

    done = await run(till.ctx, today - timedelta(days=1), provider)
    assert (done.status, done.ours) == ("DONE", 0)
    # While they may still be paid: what has been given up is another story.
    day = replace(later, clock=FixedClock(later.clock.now()))
    await till.run(
        text("UPDATE payments SET expires_at = :at WHERE business_id = :id"),
        {"at": day.clock.now() + timedelta(days=1), "id": till.business.id},
    )
    done = await run(day, today, provider)
    assert (done.status, done.failure) == ("DONE", None)
    assert done.finds_extra is (provider == "mercadopago")
    assert await found_of(day, done, same) == []
    assert await found_of(day, done, unheard) == [("DIFFERENT", "status", True)]
    assert (await till.show(unheard["id"]))["status"] == "CONFIRMED"
    [(kind, fields, repaired)] = await found_of(day, done, other)
    assert (kind, "amount" in fields.split(","), repaired) == ("DIFFERENT", True, False)
    assert (await till.show(other["id"]))["disputed"] is True
    [(kind, _, repaired)] = await found_of(day, done, absent | {"providerRef": missing})
    assert (kind, repaired) == ("MISSING", False)
    expected = [("EXTRA", "payment", False)] if done.finds_extra else []
    assert await found_of(day, done, extra) == expected


@pytest.mark.parametrize("provider", ["khipu", "payu"])
async def test_who_cannot_list_and_is_away_is_asked_again(till, later, today, provider):
    till = till.at(COUNTRIES[provider])
    await waiting(till, provider)
    operation = {"khipu": "payments.get", "payu": "orders.search"}[provider]
    await till.twins.fault("http_500", twin=provider, operation=operation, times=None)
    paused = await run(later, today, provider)
    assert (paused.status, bool(paused.failure)) == ("PENDING", True)
    await till.twins.clear_faults(provider)
    afterwards = replace(later, clock=FixedClock(later.clock.now() + timedelta(minutes=11)))
    await service.run_due(afterwards)
    assert (await repository.find(later.database, paused.id)).status == "DONE"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"provider": "nobody", "day": "2026-01-01"}, 422, "reconciliation_not_supported"),
        ({"provider": "conekta", "day": "2099-01-01"}, 422, "day_not_over"),
        ({"provider": "conekta", "day": "9999-12-31"}, 400, "validation_failed"),
        ({"provider": "conekta", "day": "x"}, 400, "validation_failed"),
        ({"provider": "conekta"}, 400, "validation_failed"),
    ],
)
async def test_what_cannot_be_compared(till, body, status, code):
    answer = await till.sut.client.post(_PATH, json=body, headers=till.sut.as_(ADMIN))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nobody_else_sees_it(till):
    for path in ("", f"/{new_id()}"):
        assert (await till.sut.client.get(_PATH + path, headers=till.sut.as_(till.owner))).status_code == 403
    body = {"provider": "conekta", "day": "2026-01-01"}
    assert (await till.sut.client.post(_PATH, json=body, headers=till.sut.as_(till.owner))).status_code == 403
