"""/payment-methods: ways to be paid that a business offers."""

from dataclasses import replace

import pytest
from chassis.testing.tokens import make_principal
from kernel import Country, new_id

pytestmark = pytest.mark.integration

_PATH = "/api/v1/payment-methods"


async def ask(till, method, path="", *, by=None, key=None, **how):
    headers = till.sut.as_(by or till.owner) | ({"Idempotency-Key": key} if key else {})
    return await till.sut.client.request(method, f"{_PATH}{path}", headers=headers, **how)


async def made(till, **fields):
    body = {"businessId": str(till.business.id), "type": "QR_STATIC", "name": "Mostrador", **fields}
    answer = await ask(till, "POST", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_a_code_for_the_counter(till):
    method = await made(till, description="Caja 1")
    assert method["isActive"] is True
    assert "/api/v1/pay/" in method["qrCodeUrl"]
    assert method["linkTemplate"] == method["qrCodeUrl"] + "{?amount,note}"
    for kind, media_type in (("svg", "image/svg+xml"), ("png", "image/png")):
        image = await ask(till, "GET", f"/{method['id']}/qr.{kind}")
        assert (image.status_code, image.headers["content-type"]) == (200, media_type)
    assert method["qrImageUrl"].endswith(f"{_PATH}/{method['id']}/qr.svg")
    assert (await ask(till, "GET", f"/{method['id']}")).json()["data"] == method
    other = await made(till)
    assert other["qrCodeUrl"] != method["qrCodeUrl"]


async def test_what_has_no_page_has_no_code(till):
    method = await made(till, type="BANK_TRANSFER")
    assert (method["qrCodeUrl"], method["qrImageUrl"], method["linkTemplate"]) == (None, None, None)
    answer = await ask(till, "GET", f"/{method['id']}/qr.svg")
    assert (answer.status_code, answer.json()["code"]) == (404, "qr_not_available")


async def test_replaced_patched_and_deleted(till):
    method = await made(till, description="Caja 1")
    path = f"/{method['id']}"
    patched = (await ask(till, "PATCH", path, json={"isActive": False})).json()["data"]
    assert (patched["isActive"], patched["name"], patched["description"]) == (False, "Mostrador", "Caja 1")
    replaced = (await ask(till, "PUT", path, json={"name": "Barra", "type": "QR_STATIC"})).json()["data"]
    assert (replaced["isActive"], replaced["name"], replaced["description"]) == (True, "Barra", None)
    assert replaced["qrCodeUrl"] == method["qrCodeUrl"]
    for body in ({"name": "x", "type": "PAYMENT_LINK"}, {"name": "x", "businessId": str(new_id())}, {"name": ""}):
        assert (await ask(till, "PUT", path, json=body)).status_code == 400
    assert (await ask(till, "PATCH", path, json={"name": None})).status_code == 400
    assert (await ask(till, "DELETE", path)).status_code == 204
    for again in ("GET", "DELETE"):
        assert (await ask(till, again, path)).status_code == 404
    assert (await ask(till, "GET", params={"businessId": str(till.business.id)})).json()["data"] == []


async def test_lists(till):
    link, code = await made(till, type="PAYMENT_LINK"), await made(till)
    await ask(till, "PATCH", f"/{code['id']}", json={"isActive": False})

    async def listed(**params):
        answer = await ask(till, "GET", params={"businessId": str(till.business.id), **params})
        return [method["id"] for method in answer.json()["data"]]

    assert await listed() == [code["id"], link["id"]]
    assert await listed(type="PAYMENT_LINK") == [link["id"]]
    assert await listed(isActive="true") == [link["id"]]


async def test_the_same_key_makes_one(till):
    key = str(new_id())
    body = {"businessId": str(till.business.id), "type": "QR_STATIC", "name": "Mostrador"}
    first, again = [await ask(till, "POST", json=body, key=key) for _ in range(2)]
    assert again.content == first.content


async def test_only_what_the_country_offers(till):
    business = till.sut.directory.open_business(country=Country.AR)
    shop = replace(till, business=business, owner=make_principal(owns=[business.id]))
    body = {"businessId": str(business.id), "type": "BANK_TRANSFER", "name": "Transferencia"}
    answer = await ask(shop, "POST", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "method_not_supported")


async def test_employees_see_and_owners_change(till):
    method = await made(till)
    employee = make_principal(works_at=[(till.business.id, [new_id()])])
    stranger = make_principal(owns=[new_id()])
    path, body = f"/{method['id']}", {"name": "Otra"}
    assert (await ask(till, "GET", path, by=employee)).status_code == 200
    assert (await ask(till, "PATCH", path, by=employee, json=body)).status_code == 403
    assert (await ask(till, "DELETE", path, by=employee)).status_code == 403
    for verb, more in (("GET", {}), ("PATCH", {"json": body}), ("PUT", {"json": body}), ("DELETE", {})):
        assert (await ask(till, verb, path, by=stranger, **more)).status_code == 404
    assert (await ask(till, "GET", f"{path}/qr.svg", by=stranger)).status_code == 404


async def test_row_level_security_alone_hides_it(till):
    method = await made(till)
    stranger = make_principal(owns=[new_id()])
    with till.sut.filters_off():
        assert (await ask(till, "GET", f"/{method['id']}", by=stranger)).status_code == 404
        assert (await ask(till, "DELETE", f"/{method['id']}", by=stranger)).status_code == 404
        assert (await ask(till, "GET", by=stranger)).json()["data"] == []


async def test_payments_name_the_method_they_came_by(till):
    method, transfer = await made(till), await made(till, type="BANK_TRANSFER")
    created = await till.create(method="QR_STATIC", paymentMethodId=method["id"])
    assert (created["paymentMethod"], created["paymentMethodId"]) == ("QR_STATIC", method["id"])
    assert created["paymentLink"].startswith("http")
    # The only one of the business need not be named.
    assert (await till.create(method="QR_STATIC"))["paymentMethodId"] == method["id"]
    assert (await till.create())["paymentMethodId"] is None
    await ask(till, "PATCH", f"/{transfer['id']}", json={"isActive": False})
    for fields in (
        {"method": "QR_DYNAMIC", "paymentMethodId": method["id"]},
        {"method": "BANK_TRANSFER", "paymentMethodId": transfer["id"]},
        {"method": "QR_STATIC", "paymentMethodId": str(new_id())},
    ):
        answer = await till.post("/intent", till.wish(**fields))
        assert (answer.status_code, answer.json()["code"]) == (422, "payment_method_unusable")


async def test_a_payment_at_the_counter_is_refunded_like_any_other(till):
    paid = await till.paid(method="QR_STATIC")
    assert (await till.refund(paid, amount="50.00")).json()["data"]["status"] == "SUCCEEDED"


async def test_for_a_business_opened_after_the_token(till):
    stale = make_principal(user_id=till.owner.user_id)
    till.sut.directory.join(stale.user_id, *till.owner.memberships.values())
    body = {"businessId": str(till.business.id), "type": "QR_STATIC", "name": "Mostrador"}
    answer = await ask(till, "POST", json=body, by=stale)
    assert answer.status_code == 201, answer.text
    assert (await ask(till, "GET", f"/{answer.json()['data']['id']}", by=stale)).status_code == 200
