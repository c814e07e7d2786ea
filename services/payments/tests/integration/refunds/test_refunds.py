"""POST /payments/:id/refund: never more than was paid, whatever the provider does."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentRefunded
from kernel import new_id
from payments.refunds import service as refunds
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration


async def listed(till, payment):
    return (await till.get(f"/{payment['id']}/refunds")).json()["data"]


async def at_provider(till, payment):
    journal = await till.twins.journal(payment["id"])
    return journal["refunds"], journal["refunded_amount"]


async def test_in_parts_until_nothing_is_left(till):
    paid = await till.paid()
    first = await till.refund(paid, amount="50.50", reason="Pidió cambio")
    assert first.status_code == 201
    assert (first.json()["data"]["status"], first.json()["data"]["reason"]) == ("SUCCEEDED", "Pidió cambio")
    partly = await till.show(paid["id"])
    assert (partly["status"], partly["refundedAmount"]) == ("PARTIALLY_REFUNDED", "50.50")
    rest = await till.refund(paid)
    assert rest.json()["data"]["amount"] == "100.00"
    whole = await till.show(paid["id"])
    assert (whole["status"], whole["refundedAmount"]) == ("REFUNDED", "150.50")
    assert whole["refundedAt"]
    again = await till.refund(paid)
    assert (again.status_code, again.json()["code"]) == (409, "payment_not_refundable")
    assert await at_provider(till, paid) == (2, 15050)
    events = await till.sut.published(PaymentRefunded, aggregate_id=UUID(paid["id"]))
    assert [(event.refund_amount.amount, event.refunded_amount.amount, event.status) for event in events] == [
        ("50.50", "50.50", "PARTIALLY_REFUNDED"),
        ("100.00", "150.50", "REFUNDED"),
    ]
    assert events[0].aggregate_version < events[1].aggregate_version
    shown = await listed(till, paid)
    assert [refund["amount"] for refund in shown] == ["100.00", "50.50"]
    one = await till.get(f"/{paid['id']}/refunds/{shown[0]['id']}")
    assert one.json()["data"] == shown[0]
    assert (await till.get(f"/{paid['id']}/refunds/{new_id()}")).status_code == 404


async def test_not_before_it_is_paid(till):
    answer = await till.refund(await till.create())
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_refundable")


async def test_more_than_is_left(till):
    paid = await till.paid()
    answer = await till.refund(paid, amount="150.51")
    assert (answer.status_code, answer.json()["code"]) == (422, "refund_exceeds_payment")
    assert await at_provider(till, paid) == (0, 0)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "x", [], "1e99"])
async def test_an_amount_that_is_none(till, amount):
    paid = await till.paid()
    assert (await till.refund(paid, amount=amount)).status_code == 400


async def test_only_the_owner_gives_money_back(till):
    paid = await till.paid()
    employee = make_principal(works_at=[(till.business.id, [new_id()])])
    assert (await till.post(f"/{paid['id']}/refund", {}, by=employee)).status_code == 403
    assert (await till.post(f"/{paid['id']}/refund", {}, by=make_principal())).status_code == 404
    assert (await till.post(f"/{new_id()}/refund", {})).status_code == 404


async def test_the_same_key_replays(till):
    paid, key = await till.paid(), str(new_id())
    first = await till.refund(paid, key=key, amount="10.00")
    again = await till.refund(paid, key=key, amount="10.00")
    assert again.content == first.content
    assert (await till.refund(paid, key=key, amount="11.00")).json()["code"] == "idempotency_key_reused"
    assert await at_provider(till, paid) == (1, 1000)


async def test_a_hundred_at_once_never_give_back_more_than_was_paid(till):
    paid = await till.paid(amount="100.00")
    answers = await asyncio.gather(*(till.refund(paid, amount="30.00") for _ in range(100)))
    # 503: on a machine that is busy otherwise, a connection may not be had in time.
    assert {answer.status_code for answer in answers} <= {201, 409, 422, 503}
    # Those who met another on its way come again, as they were told to.
    answer = None
    async with asyncio.timeout(20):
        while answer is None or answer.status_code != 422:
            answer = await till.refund(paid, amount="30.00")
    assert await at_provider(till, paid) == (3, 9000)
    row = await till.row(paid["id"])
    assert row.refunded == row.refund_reserved == Decimal("90.00")
    assert len(await till.sut.published(PaymentRefunded, aggregate_id=UUID(paid["id"]))) == 3


@pytest.mark.parametrize("fault", ["http_500_after_charging", "garbage_json", "timeout_after_charging"])
async def test_an_unusable_answer_is_looked_up_at_once(till, fault):
    paid = await till.paid()
    await till.twins.fault(fault, operation="orders.refund")
    answer = await till.refund(paid, amount="20.00")
    assert answer.json()["data"]["status"] == "SUCCEEDED"
    assert await at_provider(till, paid) == (1, 2000)


async def unknown(till, paid, key=None):
    await till.twins.fault("http_500_after_charging", operation="orders.refund")
    await till.twins.fault("http_500", times=None, operation="orders.get")
    answer = await till.refund(paid, key=key, amount="20.00")
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "PENDING"), answer.text
    await till.twins.clear_faults()
    return answer.json()["data"]


async def test_an_unknown_refund_stays_reserved_until_the_provider_has_spoken(till):
    paid = await till.paid()
    refund = await unknown(till, paid)
    row = await till.row(paid["id"])
    assert (row.refund_reserved, row.refunded) == (Decimal("20.00"), Decimal("0.00"))
    busy = await till.refund(paid, amount="1.00")
    assert (busy.status_code, busy.json()["code"]) == (409, "refund_in_progress")
    till.sut.clock.advance(timedelta(seconds=3))
    await refunds.resolve_due(till.ctx)
    [resolved] = await listed(till, paid)
    assert (resolved["id"], resolved["status"]) == (refund["id"], "SUCCEEDED")
    assert (await till.show(paid["id"]))["refundedAmount"] == "20.00"
    assert await at_provider(till, paid) == (1, 2000)
    # The schedule goes on, and finds nothing more to do.
    till.sut.clock.advance(timedelta(hours=1))
    await refunds.resolve_due(till.ctx)
    assert len(await till.sut.published(PaymentRefunded, aggregate_id=UUID(paid["id"]))) == 1


async def test_a_refund_the_provider_never_got_is_released_when_that_is_certain(till):
    paid = await till.paid()
    await till.twins.fault("timeout_before", operation="orders.refund")
    answer = await till.refund(paid, amount="20.00")
    assert answer.json()["data"]["status"] == "PENDING"
    for _ in range(3):
        till.sut.clock.advance(timedelta(minutes=15))
        await refunds.resolve_due(till.ctx)
    assert (await listed(till, paid))[0]["status"] == "PENDING"
    till.sut.clock.advance(timedelta(hours=1))
    await refunds.resolve_due(till.ctx)
    [failed] = await listed(till, paid)
    assert (failed["status"], failed["failureReason"]) == ("FAILED", "not_received")
    assert (await till.refund(paid)).json()["data"]["amount"] == "150.50"


async def test_a_refusal_releases_the_amount_and_the_key(till):
    transfer = await till.paid(method="BANK_TRANSFER")
    key = str(new_id())
    answer = await till.refund(transfer, key=key, amount="20.00")
    assert (answer.status_code, answer.json()["code"]) == (422, "refund_rejected"), answer.text
    again = await till.refund(transfer, key=key, amount="20.00")
    assert again.json()["code"] == "refund_rejected"
    assert (await till.row(transfer["id"])).refund_reserved == 0
    assert {refund["status"] for refund in await listed(till, transfer)} == {"FAILED"}


async def test_a_busy_provider_releases_the_amount_and_the_key(till):
    paid, key = await till.paid(), str(new_id())
    await till.twins.fault("http_429", operation="orders.refund", seconds=3)
    answer = await till.refund(paid, key=key, amount="20.00")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    again = await till.refund(paid, key=key, amount="20.00")
    assert again.json()["data"]["status"] == "SUCCEEDED"
    assert await at_provider(till, paid) == (1, 2000)


async def test_a_provider_without_its_keys_reserves_nothing(till):
    paid = await till.paid()
    await till.set(paid["id"], provider="unconfigured")
    answer = await till.refund(paid, amount="20.00")
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_not_configured")
    assert (await till.row(paid["id"])).refund_reserved == 0


async def test_a_death_in_the_middle_is_resumed_with_the_same_key(till):
    paid, key = await till.paid(), str(new_id())
    await till.twins.fault("timeout_after_charging", operation="orders.refund")
    dying = asyncio.create_task(till.refund(paid, key=key, amount="20.00"))
    async with asyncio.timeout(5):
        done = 0
        while not done:
            done, _ = await at_provider(till, paid)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await till.refund(paid, key=key, amount="20.00")).status_code == 409
    await till.expire_leases()
    answer = await till.refund(paid, key=key, amount="20.00")
    assert answer.json()["data"]["status"] == "SUCCEEDED"
    assert await at_provider(till, paid) == (1, 2000)
    assert (await till.show(paid["id"]))["refundedAmount"] == "20.00"


async def test_a_refund_made_in_the_providers_back_office_is_taken_over(till):
    paid = await till.paid()
    async with httpx.AsyncClient() as conekta:
        answer = await conekta.post(
            f"{till.twins.conekta_url}/orders/{paid['providerRef']}/refunds",
            json={"amount": 5000, "reason": "requested_by_client"},
            headers={
                "Authorization": f"Bearer {till.twins.api_key}",
                "Accept": "application/vnd.conekta-v2.3.0+json",
            },
        )
        assert answer.status_code == 200
    await till.webhook(paid)
    await till.webhook(paid)
    shown = await till.show(paid["id"])
    assert (shown["status"], shown["refundedAmount"]) == ("PARTIALLY_REFUNDED", "50.00")
    [refund] = await listed(till, paid)
    assert (refund["origin"], refund["amount"]) == ("provider", "50.00")
    assert (await till.refund(paid, amount="100.51")).json()["code"] == "refund_exceeds_payment"
    assert len(await till.sut.published(PaymentRefunded, aggregate_id=UUID(paid["id"]))) == 1


async def test_a_webhook_in_the_middle_of_our_refund_takes_nothing_over(till):
    paid = await till.paid()
    refund = await unknown(till, paid)
    await till.webhook(paid)
    assert [entry["origin"] for entry in await listed(till, paid)] == ["merchant"]
    await till.set(paid["id"], next_poll_at=till.sut.clock.now())
    await resolution.resolve_due(till.ctx)
    till.sut.clock.advance(timedelta(seconds=3))
    await refunds.resolve_due(till.ctx)
    await till.webhook(paid)
    [resolved] = await listed(till, paid)
    assert (resolved["id"], resolved["status"]) == (refund["id"], "SUCCEEDED")
    assert (await till.show(paid["id"]))["refundedAmount"] == "20.00"
