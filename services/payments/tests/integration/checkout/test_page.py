"""PayU's page is only reached by a form: ours is what a code or a link leads to."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from chassis.testing.tokens import make_principal
from kernel import Country, new_id
from payments.intents import links
from payments.resolution import service as resolution

pytestmark = pytest.mark.integration

BUYER = {"name": "Ana <López>", "phone": "+573105550147", "email": "ana@example.com"}


@pytest.fixture
def shop(till):
    business = till.sut.directory.open_business(country=Country.CO)
    return replace(till, business=business, owner=make_principal(owns=[business.id]))


@pytest.fixture
def twin(till):
    return till.twins.provider("payu")


async def visit(shop, payment, **query):
    """As the buyer's browser comes, without a token."""
    return await shop.sut.client.get(urlsplit(payment["paymentLink"]).path, params=query)


def form_of(page):
    action = unescape(re.search(r'<form method="post" action="([^"]+)"', page.text)[1])
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return action, {unescape(name): unescape(value) for name, value in fields}


async def arrive(page):
    """Press the button."""
    action, fields = form_of(page)
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        return await browser.post(action, data=fields)


@pytest.mark.parametrize("method", ["QR_DYNAMIC", "PAYMENT_LINK"])
async def test_the_buyer_is_led_to_the_provider_and_pays(shop, twin, method):
    created = await shop.create(method=method, customer=BUYER)
    assert (created["providerAdapter"], created["currency"], created["amount"]) == ("payu", "COP", "150.50")
    assert created["qrCodeUrl"]
    page = await visit(shop, created)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    action, fields = form_of(page)
    assert fields["referenceCode"] == created["id"]
    assert fields["buyerFullName"] == BUYER["name"]
    assert "Ana <López>" not in page.text
    assert f"form-action {twin.url};" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert action.startswith(twin.api_url)
    assert (await arrive(page)).status_code == 200
    await twin.pay(created["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    shown = await shop.show(created["id"])
    assert shown["status"] == "CONFIRMED"
    after = await visit(shop, created)
    assert after.status_code == 200
    assert "ya está pagado" in after.text
    assert "<form" not in after.text


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Continuar al pago"), ("pt", "Continuar para o pagamento"), ("en", "Continue to payment")],
)
async def test_it_speaks_the_buyers_language(shop, language, words):
    page = await visit(shop, await shop.create(), lang=language)
    assert words in page.text
    assert f'<html lang="{language}">' in page.text


async def test_nobody_is_sent_there_once_it_is_over(shop):
    canceled, expired = await shop.create(), await shop.create()
    assert (await shop.post(f"/{canceled['id']}/cancel", None)).status_code == 200
    page = await visit(shop, canceled)
    assert (page.status_code, "<form" in page.text) == (410, False)
    # Before any job has noticed.
    shop.sut.clock.advance(timedelta(hours=1))
    page = await visit(shop, expired)
    assert (page.status_code, "<form" in page.text) == (410, False)


async def test_a_key_that_is_not_ours_opens_nothing(shop, till):
    created = await shop.create()
    key = urlsplit(created["paymentLink"]).path.rsplit("/", 1)[-1]
    other = links.page_url("", shop.ctx.blind_index, new_id()).rsplit("/", 1)[-1]
    for wrong in (
        key[:-2] + ("A" if key[-2] != "A" else "B") + key[-1],
        key[:22] + other[22:],
        other,
        "x",
        "%00",
        "ñ" * 43,
    ):
        page = await shop.sut.client.get(f"/api/v1/checkout/{wrong}")
        assert (page.status_code, "<form" in page.text) == (404, False), wrong
    # A payment whose provider has a page of its own is not led anywhere from here.
    elsewhere = await till.create()
    path = links.page_url("", shop.ctx.blind_index, UUID(elsewhere["id"]))
    page = await shop.sut.client.get(path)
    assert (page.status_code, "<form" in page.text) == (410, False)


async def test_a_transfer_needs_what_nobody_was_asked_for(shop):
    answer = await shop.post("/intent", shop.wish(amount="150", method="BANK_TRANSFER", customer=BUYER))
    assert answer.status_code == 422
