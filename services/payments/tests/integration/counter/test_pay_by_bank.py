"""/pay/:key in Colombia: the buyer may go to their bank at once, and is not asked for more than it wants to know."""

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from chassis.testing.tokens import make_principal
from kernel import Country

pytestmark = pytest.mark.integration

BROWSER = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (Android)", "X-Forwarded-For": "10.0.0.1, 190.24.1.7"}
PAYER = {
    "way": "bank",
    "bank": "1022",
    "personType": "N",
    "name": "Ana López",
    "email": "ana@example.com",
    "phone": "310 555 0147",
    "documentType": "CC",
    "documentNumber": "1020304050",
}


@pytest.fixture
def shop(till):
    business = till.sut.directory.open_business(country=Country.CO)
    return replace(till, business=business, owner=make_principal(owns=[business.id]))


@pytest.fixture
async def path(shop):
    body = {"businessId": str(shop.business.id), "type": "QR_STATIC", "name": "Mostrador"}
    answer = await shop.sut.client.post("/api/v1/payment-methods", json=body, headers=shop.sut.as_(shop.owner))
    return "/api/v1" + answer.json()["data"]["qrCodeUrl"].partition("/api/v1")[2]


async def send(shop, path, **fields):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **BROWSER}
    return await shop.sut.client.post(path, content=urlencode(fields), headers=headers)


async def test_the_buyer_chooses_their_bank(shop, path):
    page = await shop.sut.client.get(path, headers=BROWSER, params={"lang": "es"})
    assert "Pagar desde mi banco" in page.text
    assert '<option value="1022">BANCO UNION COLOMBIANO</option>' in page.text
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
    form = {**PAYER, "amount": "65000", "token": token}
    answers = [await send(shop, path, **form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    [payment] = (await shop.get(businessId=str(shop.business.id))).json()["data"]
    assert (payment["paymentMethod"], payment["providerAdapter"]) == ("BANK_TRANSFER", "payu")
    assert {answer.headers["location"] for answer in answers} == {payment["paymentLink"]}
    customer = (await shop.show(payment["id"]))["customer"]
    assert (customer["phone"], customer["document"]) == ("+573105550147", {"type": "CC", "number": "1020304050"})
    other = await send(shop, path, **{**form, "documentNumber": "1020304051"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"documentNumber": "", "phone": "\x00"}, "Celular, Número de documento"),
        ({"bank": ""}, "Banco"),
        ({"bank": "9999"}, "Elige tu banco"),
        ({"personType": "X"}, "Tipo de persona"),
    ],
    ids=["two", "none", "unknown", "person"],
)
async def test_what_is_wrong_is_said_and_what_was_written_stays(shop, path, wrong, said):
    answer = await send(shop, path, **{**PAYER, "amount": "65000", "lang": "es", **wrong})
    assert answer.status_code in (400, 422)
    assert said in answer.text
    assert 'value="ana@example.com"' in answer.text
    assert "<details open>" in answer.text
    assert (await shop.get(businessId=str(shop.business.id))).json()["data"] == []


async def test_without_the_banks_the_page_leads_to_the_provider_as_ever(shop, path):
    answer = await send(shop, path, amount="65000")
    assert answer.status_code == 303
    [payment] = (await shop.get(businessId=str(shop.business.id))).json()["data"]
    assert payment["paymentMethod"] == "QR_STATIC"
