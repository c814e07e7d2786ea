"""POST /payments/intent: what is asked for, what comes of it, and what a repetition does."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest
from chassis.testing.tokens import make_principal
from contracts.events.payments import PaymentCreated
from kernel import Country, new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration


async def test_a_qr_payment_is_created_at_the_provider_and_announced(till):
    created = await till.create(description="Dos cafés", metadata={"mesa": "4"})
    assert created["status"] == "PENDING"
    assert created["amount"] == "150.50"
    assert created["currency"] == "MXN"
    assert created["providerAdapter"] == "conekta"
    assert created["country"] == "MX"
    assert created["metadata"] == {"mesa": "4"}
    assert created["qrCodeUrl"].endswith(f"/api/v1/payments/{created['id']}/qr.svg")
    assert created["paymentLink"].startswith("http")
    assert created["transfer"] is None
    [order] = await till.twins.orders(created["id"])
    assert (order["id"], order["amount"], order["currency"]) == (created["providerRef"], 15050, "MXN")
    [event] = await till.sut.published(PaymentCreated, aggregate_id=UUID(created["id"]))
    assert (event.amount.amount, event.method, event.status) == ("150.50", "QR_DYNAMIC", "PENDING")
    assert event.aggregate_version == (await till.row(created["id"])).version


async def test_a_link_can_be_shown_as_a_code_too(till):
    created = await till.create(method="PAYMENT_LINK")
    assert created["paymentLink"]
    assert created["qrCodeUrl"]


async def test_a_transfer_tells_the_account(till):
    created = await till.create(method="BANK_TRANSFER")
    assert len(created["transfer"]["clabe"]) == 18
    assert created["qrCodeUrl"] is None
    assert (await till.get(f"/{created['id']}/qr.svg")).json()["code"] == "qr_not_available"


async def test_the_buyer_is_sealed_at_rest_and_shown_to_the_merchant(till):
    buyer = {"name": "Ana Ñandú 😀", "phone": "+525587654321", "email": "Ana@example.com"}
    created = await till.create(customer=buyer)
    row = await till.row(created["id"])
    for value in buyer.values():
        assert value not in str(row.customer)
    assert (await till.show(created["id"]))["customer"] == {**buyer, "document": None, "personType": None}
    [order] = await till.twins.orders(created["id"])
    assert order["customer_info"]["email"] == buyer["email"]
    [event] = await till.sut.published(aggregate_id=UUID(created["id"]))
    assert "example.com" not in event.model_dump_json()


async def test_the_amount_may_be_a_number(till):
    created = await till.create(amount=99.9)
    assert created["amount"] == "99.90"


async def test_a_payment_expires_when_asked_to(till):
    created = await till.create(expiresIn=3600)
    lifetime = datetime.fromisoformat(created["expiresAt"]) - datetime.fromisoformat(created["createdAt"])
    assert lifetime.total_seconds() == 3600


async def test_the_shortest_life_is_accepted_by_the_provider(till):
    assert (await till.create(expiresIn=300))["status"] == "PENDING"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "10.005"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"method": "BITCOIN"}, "method"),
        ({"businessId": "x"}, "businessId"),
        ({"expiresIn": 10}, "expiresIn"),
        ({"expiresIn": 10**9}, "expiresIn"),
        ({"description": ""}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"description": "x" * 10_000}, "description"),
        ({"metadata": {"a": "x" * 501}}, "metadata.a"),
        ({"metadata": {"a": "\x00"}}, "metadata.a"),
        ({"metadata": {str(n): "x" for n in range(21)}}, "metadata"),
        ({"metadata": {"a": {"b": 1}}}, "metadata.a"),
        ({"customer": {"phone": "5512345678"}}, "customer.phone"),
        ({"customer": {"email": "nobody"}}, "customer.email"),
        ({"customer": {"name": "\x07"}}, "customer.name"),
        ({"status": "CONFIRMED"}, "status"),
        ({"refundedAmount": "1"}, "refundedAmount"),
    ],
)
async def test_what_is_wrong_is_named(till, fields, field):
    answer = await till.post("/intent", till.wish(**fields))
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b'{"amount": 1e999999}', b"\xff\xfe", b"[" * 60_000]
)
async def test_a_body_that_is_no_request_is_400(till, body):
    headers = till.sut.as_(till.owner) | {"Content-Type": "application/json"}
    answer = await till.sut.client.post("/api/v1/payments/intent", content=body, headers=headers)
    assert answer.status_code == 400, answer.text


async def test_hostile_texts_are_kept_as_they_are(till):
    hostile = "'; DROP TABLE payments; -- <script>alert(1)</script> 😀 ‮ \\ %s {}"
    created = await till.create(description=hostile, metadata={"nota": hostile})
    shown = await till.show(created["id"])
    assert shown["description"] == hostile
    assert shown["metadata"] == {"nota": hostile}


async def test_rules_of_the_business(till):
    async def code(**fields):
        answer = await till.post("/intent", till.wish(**fields))
        assert answer.status_code == 422, answer.text
        return answer.json()["code"]

    assert await code(currency="COP") == "currency_mismatch"
    assert await code(amount="500000.01") == "amount_over_limit"
    assert await code(paymentMethodId=str(new_id())) == "payment_method_unusable"


async def test_the_more_is_known_of_the_caller_the_more_a_payment_may_be(till):
    for level, most in ((0, "50000.00"), (1, "200000.00"), (2, "500000.00")):
        caller = make_principal(owns=[till.business.id], kyc_level=level)
        assert (await till.post("/intent", till.wish(amount=most), by=caller)).status_code == 201
        over = await till.post("/intent", till.wish(amount=f"{most[:-2]}01"), by=caller)
        assert (over.status_code, over.json()["code"]) == (422, "amount_over_limit")
        assert most in over.json()["message"]


async def test_a_country_without_a_provider_is_said_openly(till, monkeypatch):
    monkeypatch.delitem(till.ctx.providers._providers, "payu")
    elsewhere = till.sut.directory.open_business(country=Country.CO)
    caller = make_principal(owns=[elsewhere.id])
    answer = await till.post("/intent", till.wish(businessId=str(elsewhere.id), amount="1000"), by=caller)
    assert (answer.status_code, answer.json()["code"]) == (422, "provider_not_available")


async def test_a_closed_business_takes_no_money(till):
    from dataclasses import replace

    till.sut.directory.businesses[till.business.id] = replace(till.business, is_active=False)
    answer = await till.post("/intent", till.wish())
    assert (answer.status_code, answer.json()["code"]) == (422, "business_inactive")


async def test_strangers_learn_nothing(till):
    stranger = make_principal()
    foreign = await till.post("/intent", till.wish(), by=stranger)
    absent = await till.post("/intent", till.wish(businessId=str(new_id())), by=stranger)
    assert foreign.status_code == absent.status_code == 404
    strip = lambda answer: {k: v for k, v in answer.json().items() if k != "requestId"}  # noqa: E731
    assert strip(foreign) == strip(absent)
    assert (await till.sut.client.post("/api/v1/payments/intent", json=till.wish())).status_code == 401


async def test_an_employee_takes_payments(till):
    employee = make_principal(works_at=[(till.business.id, [new_id()])])
    assert (await till.post("/intent", till.wish(), by=employee)).status_code == 201


async def test_the_same_key_replays_the_answer(till):
    key = str(new_id())
    first = await till.post("/intent", till.wish(), key=key)
    again = await till.post("/intent", till.wish(), key=key)
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await till.twins.orders(first.json()["data"]["id"])) == 1


async def test_the_same_key_with_another_body_is_refused(till):
    key = str(new_id())
    await till.post("/intent", till.wish(), key=key)
    answer = await till.post("/intent", till.wish(amount="1.00"), key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_caller(till):
    key = str(new_id())
    employee = make_principal(works_at=[(till.business.id, [new_id()])])
    first = await till.post("/intent", till.wish(), key=key)
    second = await till.post("/intent", till.wish(), key=key, by=employee)
    assert first.json()["data"]["id"] != second.json()["data"]["id"]


async def test_a_storm_of_one_key_makes_one_payment(till):
    key = str(new_id())
    answers = await asyncio.gather(*(till.post("/intent", till.wish(), key=key) for _ in range(40)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert answer.headers["Retry-After"] == "1"
    assert len(await till.twins.orders(done[0].json()["data"]["id"])) == 1
    listed = await till.get(businessId=str(till.business.id))
    assert listed.json()["meta"]["total"] == 1


async def test_the_stored_answer_is_encrypted(till):
    await till.create(key="of-a-known-name-1", description="secreto-del-cliente")
    [(body,)] = await till.run(text("SELECT body FROM idempotency_keys WHERE key = 'of-a-known-name-1'"))
    assert body.startswith("v1.k1.")
    assert "secreto" not in body
