"""/pay/:key: what a buyer comes to who scans the code at the counter."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from chassis.testing.tokens import make_principal
from kernel import Country
from payments.resolution import service as resolution
from sqlalchemy import text

pytestmark = pytest.mark.integration


async def counter(till, **fields):
    """The path of a new code's page."""
    body = {"businessId": str(till.business.id), "type": "QR_STATIC", "name": "Mostrador", **fields}
    answer = await till.sut.client.post("/api/v1/payment-methods", json=body, headers=till.sut.as_(till.owner))
    assert answer.status_code == 201, answer.text
    method = answer.json()["data"]
    return method, "/api/v1" + method["qrCodeUrl"].partition("/api/v1")[2]


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def look(till, path, **params):
    return await till.sut.client.get(path, params=params, headers=BROWSER)


async def send(till, path, **fields):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **BROWSER}
    return await till.sut.client.post(path, content=urlencode(fields), headers=headers)


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


async def opened(till):
    return (await till.get(businessId=str(till.business.id))).json()["data"]


async def test_the_buyer_enters_the_amount_and_goes_on_to_the_provider(till):
    method, path = await counter(till)
    page = await look(till, path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert till.business.name in page.text
    answer = await send(till, path, amount="150.50", note="Mesa 4", token=token_of(page))
    assert answer.status_code == 303, answer.text
    [payment] = await opened(till)
    assert answer.headers["location"] == payment["paymentLink"]
    assert (payment["amount"], payment["paymentMethod"], payment["description"]) == ("150.50", "QR_STATIC", "Mesa 4")
    assert payment["paymentMethodId"] == method["id"]
    await till.twins.pay(payment["id"])
    await till.webhook(payment)
    assert (await till.show(payment["id"]))["status"] == "CONFIRMED"


async def test_a_page_runs_nothing_and_loads_nothing(till):
    _, path = await counter(till, name="<script>alert(1)</script>", description='"><img src=x>')
    page = await look(till, path, amount='"><script>', note="<b>")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    for hostile in ("<script", "<img", "<b>", "http"):
        assert hostile not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("lang", "words"), [("es", "¿Cuánto"), ("pt", "Quanto"), ("en", "How much")])
async def test_in_the_buyers_language(till, lang, words):
    _, path = await counter(till)
    assert words in (await look(till, path, lang=lang)).text
    by_browser = await till.sut.client.get(path, headers={"Accept-Language": f"{lang}-XX,{lang};q=0.9"})
    assert words in by_browser.text


async def test_a_form_sent_twice_is_one_payment(till):
    _, path = await counter(till)
    token = token_of(await look(till, path))
    answers = await asyncio.gather(*(send(till, path, amount="20", token=token) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert len(await opened(till)) == 1
    assert (await send(till, path, amount="20", token=token)).status_code == 303
    other = await send(till, path, amount="21", token=token)
    assert other.status_code == 422
    # With what the page says now it can be sent.
    assert (await send(till, path, amount="21", token=token_of(other))).status_code == 303
    assert len(await opened(till)) == 2


@pytest.mark.parametrize("fields", [{}, {"amount": "x"}, {"amount": "0"}, {"amount": "20", "note": "a" * 81}])
async def test_what_is_wrong_is_said_on_the_page(till, fields):
    _, path = await counter(till)
    answer = await send(till, path, **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert await opened(till) == []


async def test_amounts_are_bounded(till):
    _, path = await counter(till)
    answer = await send(till, path, amount="50000.01")
    assert answer.status_code == 422
    assert "$50,000.00" in answer.text
    assert await opened(till) == []


async def test_the_sale_that_is_open_is_shown_and_paid(till):
    method, path = await counter(till)
    sale = await till.create(method="QR_STATIC", amount="99.50", paymentMethodId=method["id"])
    page = await look(till, path)
    assert "99.50" in page.text
    assert 'name="amount"' not in page.text
    answer = await send(till, path, payment=sale["id"])
    assert (answer.status_code, answer.headers["location"]) == (303, sale["paymentLink"])
    # Once it is paid, the next buyer does not see it.
    await till.twins.pay(sale["id"])
    await till.webhook(sale)
    assert 'name="amount"' in (await look(till, path)).text
    stale = await send(till, path, payment=sale["id"])
    assert stale.status_code == 409
    assert len(await opened(till)) == 1


async def test_what_a_buyer_has_opened_is_nobody_elses(till):
    _, path = await counter(till)
    assert (await send(till, path, amount="20")).status_code == 303
    page = await look(till, path)
    assert 'name="amount"' in page.text
    assert "20.00" not in page.text


async def test_codes_that_lead_nowhere(till):
    method, path = await counter(till)
    url, headers = f"/api/v1/payment-methods/{method['id']}", till.sut.as_(till.owner)
    unknown = ["/api/v1/pay/AAAAAAAAAAAAAAAAAAAAAA", "/api/v1/pay/x", "/api/v1/pay/%00", f"/api/v1/pay/{method['id']}"]
    await till.sut.client.patch(url, json={"isActive": False}, headers=headers)
    for gone in (*unknown, path):
        for answer in (await look(till, gone), await send(till, gone, amount="20")):
            assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), gone
    await till.sut.client.patch(url, json={"isActive": True}, headers=headers)
    assert (await look(till, path)).status_code == 200
    till.sut.directory.businesses[till.business.id] = replace(till.business, is_active=False)
    assert (await look(till, path)).status_code == 404


async def test_programs_are_told_in_the_form_of_every_other_error(till):
    _, path = await counter(till)
    gone = await till.sut.client.get("/api/v1/pay/AAAAAAAAAAAAAAAAAAAAAA")
    assert (gone.status_code, gone.json()["code"]) == (404, "payment_method_not_found")
    wrong = await till.sut.client.post(path, content="amount=x")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "amount_invalid")


async def test_a_provider_that_is_away_charges_nobody(till):
    _, path = await counter(till)
    token = token_of(await look(till, path))
    await till.twins.fault("http_429", operation="orders.create", seconds=3)
    answer = await send(till, path, amount="20", token=token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert (await send(till, path, amount="20", token=token)).status_code == 303


async def test_a_code_on_a_wall_cannot_be_used_to_flood_the_shop(till):
    _, path = await counter(till)
    most = till.ctx.settings.counter_per_minute
    assert (await send(till, path, amount="20")).status_code == 303
    [payment] = await opened(till)
    row = await till.row(payment["id"])
    columns = "business_id, amount, currency, country, time_zone, method, provider, status, expires_at, created_at"
    columns += ", updated_at, submitted_at, payment_method_id, self_service"
    copies = f"INSERT INTO payments (id, {columns}) SELECT gen_random_uuid(), {columns} FROM payments, "
    await till.run(text(copies + f"generate_series(2, {most}) WHERE id = '{row.id}'"))
    answer = await send(till, path, amount="20")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    till.sut.clock.advance(timedelta(seconds=61))
    assert (await send(till, path, amount="20")).status_code == 303


@pytest.mark.parametrize(("country", "provider"), [(Country.AR, "mercadopago"), (Country.CL, "khipu")])
async def test_in_other_countries(till, country, provider):
    business = till.sut.directory.open_business(country=country)
    shop = replace(till, business=business, owner=make_principal(owns=[business.id]))
    _, path = await counter(shop, type="PAYMENT_LINK", name="Pedidos")
    page = await look(shop, path, amount="1500", note="Pedido 7")
    assert 'value="1500"' in page.text
    assert 'value="Pedido 7"' in page.text
    answer = await send(shop, path, amount="1500", note="Pedido 7", token=token_of(page))
    assert answer.status_code == 303
    [payment] = await opened(shop)
    assert (payment["providerAdapter"], payment["paymentMethod"]) == (provider, "PAYMENT_LINK")
    await shop.twins.provider(provider).pay(payment["id"])
    shop.sut.clock.advance(timedelta(seconds=21))
    await resolution.resolve_due(shop.ctx)
    assert (await shop.show(payment["id"]))["status"] == "CONFIRMED"
