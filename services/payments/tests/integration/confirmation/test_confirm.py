"""POST /payments/:id/confirm: by hand, in test mode, by the same state machine."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.settings import Environment
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentConfirmed, PaymentRefunded
from kernel import Forbidden, new_id
from payments.confirmation import service
from payments.intents.moves import Cause
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration

ADMIN = make_principal(role=Role.ADMIN)


async def confirm(till, payment, *, by=ADMIN, key=None, **body):
    return await till.post(f"/{payment['id']}/confirm", body, by=by, key=key)


async def test_an_administrator_confirms_and_the_timeline_says_so(till):
    created = await till.create()
    answer = await confirm(till, created, reason="Ensayo")
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["status"] == "CONFIRMED"
    assert answer.json()["data"] == {key: (await till.show(created["id"]))[key] for key in answer.json()["data"]}
    [move] = [entry for entry in await till.timeline(created["id"]) if entry["toStatus"] == "CONFIRMED"]
    assert (move["cause"], move["detail"]) == ("manual", {"by": str(ADMIN.user_id), "reason": "Ensayo"})
    [event] = await till.sut.published(PaymentConfirmed, aggregate_id=UUID(created["id"]))
    assert event.status == "CONFIRMED"


async def test_without_a_body_and_twice_it_happens_once(till):
    created, key = await till.create(), str(new_id())
    headers = {**till.sut.as_(ADMIN), "Idempotency-Key": key}
    path = f"/api/v1/payments/{created['id']}/confirm"
    first, again = [await till.sut.client.post(path, headers=headers) for _ in range(2)]
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await confirm(till, created)).status_code == 200
    assert len(await till.sut.published(PaymentConfirmed, aggregate_id=UUID(created["id"]))) == 1


async def test_nobody_else_may(till):
    created = await till.create()
    employee = make_principal(works_at=[(till.business.id, [new_id()])])
    for caller in (till.owner, employee, make_principal()):
        assert (await confirm(till, created, by=caller)).status_code == 403
    assert (await confirm(till, {"id": str(new_id())})).status_code == 404
    assert (await till.show(created["id"]))["status"] == "PENDING"


async def test_not_where_the_money_is_real(till):
    created = await till.create()
    settings = till.ctx.settings
    common = settings.common.model_copy(update={"environment": Environment.PRODUCTION})
    live = replace(till.ctx, settings=settings.model_copy(update={"common": common}))
    with pytest.raises(Forbidden) as caught:
        await service.authorize(live, ADMIN, UUID(created["id"]))
    assert caught.value.code == "not_in_test_mode"


async def test_one_that_was_given_up_is_late(till):
    created = await till.create()
    await till.post(f"/{created['id']}/cancel", None)
    answer = await confirm(till, created)
    assert (answer.json()["data"]["status"], answer.json()["data"]["late"]) == ("CONFIRMED", True)


async def test_what_the_provider_may_not_have_and_what_it_has_otherwise_stay_as_they_are(till):
    unknown, disputed = await till.create(), await till.create()
    await till.set(unknown["id"], status="UNKNOWN")
    await till.twins.pay(disputed["id"], amount=100)
    await till.webhook(disputed)
    assert (await confirm(till, unknown)).json()["code"] == "payment_not_confirmable"
    assert (await confirm(till, disputed)).json()["code"] == "payment_disputed"
    assert (await till.show(disputed["id"]))["status"] == "PENDING"


async def test_the_provider_gives_nothing_back_that_it_never_had(till):
    created = await till.create()
    await confirm(till, created)
    answer = await till.refund(created, amount="10.00")
    assert (answer.status_code, answer.json()["code"]) == (422, "refund_rejected")
    assert (await till.row(created["id"])).refund_reserved == 0


async def test_two_hundred_webhooks_polls_confirmations_and_refunds_at_once(till):
    created = await till.create(amount="100.00")
    await till.twins.pay(created["id"])

    async def poll():
        await resolution.examine(till.ctx, await till.row(created["id"]), Cause.POLL)

    work = []
    for _ in range(50):
        work += [till.webhook(created), poll(), confirm(till, created), till.refund(created, amount="30.00")]
    results = await asyncio.gather(*work, return_exceptions=True)
    answers = [result for result in results if hasattr(result, "status_code")]
    assert len(answers) == 100
    # 503: on a machine that is busy otherwise, a connection may not be had in time.
    assert {answer.status_code for answer in answers} <= {200, 201, 409, 422, 503}
    await till.webhook(created)
    payment_id = UUID(created["id"])
    assert len(await till.sut.published(PaymentConfirmed, aggregate_id=payment_id)) == 1
    # Those who met another on its way come again, until there is nothing left for them.
    answer = None
    async with asyncio.timeout(20):
        while answer is None or answer.status_code != 422:
            answer = await till.refund(created, amount="30.00")
    journal, row = await till.twins.journal(created["id"]), await till.row(created["id"])
    assert (journal["charges"], journal["refunds"], journal["refunded_amount"]) == (1, 3, 9_000)
    assert int(row.refunded * 100) == int(row.refund_reserved * 100) == 9_000
    assert len(await till.sut.published(PaymentRefunded, aggregate_id=payment_id)) == 3
