"""Everything about one payment at the same time."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from kernel import new_id
from payments.intents import status
from payments.intents.moves import Cause
from payments.intents.status import Step
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration

ADMIN = make_principal(role=Role.ADMIN)


async def poll(till, payment):
    await resolution.examine(till.ctx, await till.row(payment["id"]), Cause.POLL)


async def check_history(till, payment_id):
    """Every step follows from the one before, and versions of events grow."""
    moves = [
        (Step(entry["fromStatus"]), Step(entry["toStatus"]))
        for entry in await till.timeline(payment_id)
        if entry["toStatus"]
    ]
    step = Step.SUBMITTING
    for before, after in moves:
        assert before is step
        status.check(before, after)
        step = after
    row = await till.row(payment_id)
    assert row.step is step
    versions = [event.aggregate_version for event in await till.sut.published(aggregate_id=UUID(payment_id))]
    assert versions == sorted(set(versions))
    assert versions[-1] <= row.version


async def test_two_hundred_webhooks_polls_confirmations_and_refunds_of_one_payment(till):
    """All at once, of a payment that was just paid and of which nobody has heard yet."""
    created = await till.create(amount="100.00")
    await till.twins.pay(created["id"])
    event_id = new_id()
    work = []
    for _ in range(25):
        work += [till.webhook(created), till.webhook(created, event_id=event_id)]
        work += [poll(till, created), poll(till, created)]
        work += [till.post(f"/{created['id']}/confirm", {}, by=ADMIN) for _ in range(2)]
        work += [till.refund(created, amount="40.00") for _ in range(2)]
    assert len(work) == 200
    results = await asyncio.gather(*work)
    codes = {result.status_code for result in results if hasattr(result, "status_code")}
    assert codes <= {200, 201, 409, 422}
    await poll(till, created)
    payment_id = UUID(created["id"])
    assert len(await till.sut.published(PaymentConfirmed, aggregate_id=payment_id)) == 1
    # Whoever came before the confirmation was told so; now there is one to whom two are left.
    for _ in range(3):
        await till.refund(created, amount="40.00")
    refunds = await till.sut.published(PaymentRefunded, aggregate_id=payment_id)
    journal = await till.twins.journal(created["id"])
    row = await till.row(created["id"])
    assert len(refunds) == 2
    assert (journal["payments"], journal["charges"], journal["charged_amount"]) == (1, 1, 10_000)
    assert (journal["refunds"], journal["refunded_amount"]) == (2, 8_000)
    assert row.refund_reserved == row.refunded == Decimal(80)
    assert row.disputed_at is None
    await check_history(till, created["id"])


async def test_fifty_readings_of_a_payment_that_was_just_paid_confirm_it_once(till):
    created = await till.create()
    await till.twins.pay(created["id"])
    work = [till.webhook(created) if number % 2 else poll(till, created) for number in range(50)]
    await asyncio.gather(*work)
    assert (await till.show(created["id"]))["status"] == "CONFIRMED"
    assert len(await till.sut.published(PaymentConfirmed, aggregate_id=UUID(created["id"]))) == 1
    await check_history(till, created["id"])


async def test_paying_and_canceling_at_once_has_one_winner(till):
    for _ in range(5):
        created = await till.create()
        work = [till.post(f"/{created['id']}/cancel", None) for _ in range(4)]
        await asyncio.gather(*work, till.twins.pay(created["id"], force=True))
        await till.webhook(created)
        shown = await till.show(created["id"])
        assert shown["status"] == "CONFIRMED"  # the money is there in any case
        payment_id = UUID(created["id"])
        assert len(await till.sut.published(PaymentConfirmed, aggregate_id=payment_id)) == 1
        failures = await till.sut.published(PaymentFailed, aggregate_id=payment_id)
        assert len(failures) == int(shown["late"])
        await check_history(till, created["id"])
