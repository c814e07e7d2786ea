"""PSE: a transfer from the buyer's bank in Colombia, which has to know more of the buyer than any page asks for."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from chassis.rpc.client import call
from chassis.testing.tokens import make_principal
from contracts.payments.v1 import payments_pb2, payments_pb2_grpc
from kernel import Country, RuleViolation, new_id
from payments.intents import links
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration

DOCUMENT = "1020304050"
BUYER = {
    "name": "Ana López",
    "phone": "+573105550147",
    "email": "ana@example.com",
    "document": {"type": "CC", "number": DOCUMENT},
    "personType": "N",
}
DEVICE = {"ipAddress": "190.24.1.7", "userAgent": "Mozilla/5.0", "sessionId": "s-1", "cookie": "c-1"}
PSE = {"method": "BANK_TRANSFER", "amount": "65000", "customer": BUYER, "bankCode": "1022", "device": DEVICE}


@pytest.fixture
def shop(till):
    business = till.sut.directory.open_business(country=Country.CO)
    return replace(till, business=business, owner=make_principal(owns=[business.id]))


@pytest.fixture
def twin(till):
    return till.twins.provider("payu")


async def resolved(shop, payment):
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    return await shop.show(payment["id"])


async def test_the_buyer_is_sent_to_the_bank_and_back(shop, twin):
    created = await shop.create(**PSE)
    assert (created["providerAdapter"], created["currency"], created["transfer"]) == ("payu", "COP", None)
    assert created["paymentLink"].startswith(twin.api_url)
    assert (await shop.show(created["id"]))["customer"] == BUYER
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        assert (await browser.get(created["paymentLink"])).status_code == 200
    back = await shop.sut.client.get(urlsplit(page_of(shop, created)).path)
    assert (back.status_code, "Esperamos la confirmación" in back.text) == (200, True)
    await twin.pay(created["id"])
    assert (await resolved(shop, created))["status"] == "CONFIRMED"
    assert "ya está pagado" in (await shop.sut.client.get(urlsplit(page_of(shop, created)).path)).text
    refused = await shop.refund(created)
    assert (refused.status_code, refused.json()["code"]) == (422, "refund_not_supported")


def page_of(shop, payment):
    return links.page_url(shop.ctx.public_url, shop.ctx.blind_index, UUID(payment["id"]))


async def test_the_bank_says_no(shop, twin):
    created = await shop.create(**PSE)
    await twin.decline(created["id"])
    after = await resolved(shop, created)
    assert (after["status"], after["failureReason"]) == ("FAILED", "declined")


async def test_nothing_of_the_buyer_is_stored_in_the_clear(shop):
    created = await shop.create(**PSE)
    row = await shop.row(created["id"])
    for known in (DOCUMENT, "190.24.1.7", "1022", "Ana"):
        assert known not in f"{row.payer}{row.customer}{row.metadata}{await shop.timeline(created['id'])}"


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        ({"bankCode", "device"}, ["bankCode", "device"]),
        ({"customer"}, ["customer.name", "customer.email", "customer.phone", "customer.document"]),
    ],
    ids=["bank", "buyer"],
)
async def test_what_is_missing_is_named(shop, left_out, named):
    wish = {name: value for name, value in PSE.items() if name not in left_out}
    answer = await shop.post("/intent", shop.wish(**wish))
    assert (answer.status_code, answer.json()["code"]) == (422, "payer_incomplete")
    assert [error["field"] for error in answer.json()["errors"]] == named


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"bankCode": "9999"}, "bank_unknown"),
        ({"customer": {**BUYER, "document": {"type": "RUT", "number": "12345678"}}}, "document_invalid"),
        ({"amount": "65000.50"}, "payment_rejected"),
    ],
    ids=["bank", "document", "centavos"],
)
async def test_what_pse_would_refuse_is_refused_before(shop, wrong, code):
    answer = await shop.post("/intent", shop.wish(**{**PSE, **wrong}))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_an_unanswered_transfer_is_taken_up_with_all_it_was_asked_with(shop, twin):
    """What is sent again is what was kept: bank, document and device are opened from their seal."""
    key = str(new_id())
    await twin.fault("timeout_before", operation="transactions.submit")
    first = await shop.post("/intent", shop.wish(**PSE), key=key)
    assert (first.status_code, first.json()["code"]) == (503, "payment_outcome_unknown")
    shop.sut.clock.advance(timedelta(seconds=61))
    again = await shop.post("/intent", shop.wish(**PSE), key=key)
    assert again.status_code == 201, again.text
    journal = await twin.journal(again.json()["data"]["id"])
    assert journal["payments"] == 1


async def test_over_grpc(shop):
    stub = payments_pb2_grpc.PaymentsStub(await shop.sut.channel())
    request = payments_pb2.CreatePaymentRequest(
        business_id=str(shop.business.id),
        idempotency_key=str(new_id()),
        amount_minor=6_500_000,
        currency="COP",
        method="BANK_TRANSFER",
        payer=payments_pb2.Payer(
            name="Ana", phone="+573105550147", email="ana@example.com", document_type="cc", document_number=DOCUMENT
        ),
        bank_code="1022",
        device=payments_pb2.Device(ip_address="190.24.1.7", user_agent="x", session_id="s", cookie="c"),
        kyc_level=0,
    )
    assert (await call("payments", stub.CreatePayment(request, timeout=10))).payment_link
    request.idempotency_key, request.amount_minor = str(new_id()), 10_000_000_01
    with pytest.raises(RuleViolation) as raised:
        await call("payments", stub.CreatePayment(request, timeout=10))
    assert (raised.value.code, raised.value.metadata["limit"]) == ("amount_over_limit", "10000000.00")
    # A service's own request, and an administrator's, are bounded by the currency alone.
    request.idempotency_key, request.amount_minor = str(new_id()), 10_000_001_00
    request.ClearField("kyc_level")
    assert (await call("payments", stub.CreatePayment(request, timeout=10))).payment_link


async def test_banks(shop, twin, till):
    path, headers = "/api/v1/payment-methods/banks", shop.sut.as_(shop.owner)
    answer = await shop.sut.client.get(path, params={"businessId": str(shop.business.id)}, headers=headers)
    assert answer.status_code == 200, answer.text
    names = [bank["name"] for bank in answer.json()["data"]]
    assert names == sorted(names)
    assert {"code": "1022", "name": "BANCO UNION COLOMBIANO"} in answer.json()["data"]
    elsewhere = till.sut.directory.open_business(country=Country.MX)
    owner = make_principal(owns=[elsewhere.id])
    for caller, business, expected in ((owner, elsewhere, 200), (owner, shop.business, 404)):
        found = await shop.sut.client.get(path, params={"businessId": str(business.id)}, headers=shop.sut.as_(caller))
        assert found.status_code == expected
        assert expected == 404 or found.json()["data"] == []
