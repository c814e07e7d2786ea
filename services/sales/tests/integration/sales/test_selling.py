"""POST /sales when nothing goes wrong, and when the request itself is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.rpc.client import call
from chassis.testing.tokens import make_principal
from contracts.events.sales import SaleCompleted, SaleCreated
from contracts.sales.v1 import sales_pb2, sales_pb2_grpc
from kernel import Country, NotFound, RuleViolation, new_id

pytestmark = pytest.mark.integration


async def test_two_of_one_product_by_qr(shop: Any) -> None:
    product = shop.product("75.25", stock=10)
    sale = await shop.sell(product, quantity=2)
    assert (sale["subtotal"], sale["tax"], sale["discount"], sale["total"]) == ("129.74", "20.76", "0.00", "150.50")
    assert sale["status"] == "PENDING_PAYMENT"
    assert sale["branchId"] == str(shop.branch.id)
    assert sale["items"][0]["name"] == "Café de olla"
    assert sale["items"][0]["unitPrice"] == "75.25"
    assert sale["payment"]["qrCodeUrl"].endswith(".svg")
    assert sale["payment"]["status"] == "PENDING"
    assert sale["payment"]["id"] == sale["transactionId"] == shop.payments.of_sale(sale["id"]).id
    assert shop.stock(product) == (8, 0)
    [created] = await shop.sut.published(SaleCreated, aggregate_id=UUID(sale["id"]))
    assert created.total.amount == "150.50"
    assert created.time_zone == shop.business.time_zone

    await shop.deliver(shop.confirmed(sale["id"]))
    after = await shop.get(sale["id"])
    assert (after["status"], after["payment"]["status"]) == ("COMPLETED", "CONFIRMED")
    assert after["completedAt"]
    assert shop.stock(product) == (8, 2)
    [completed] = await shop.sut.published(SaleCompleted, aggregate_id=UUID(sale["id"]))
    assert completed.aggregate_version > created.aggregate_version
    assert completed.items[0].quantity == 2
    assert completed.items[0].total.amount == "150.50"


async def test_cash_gives_change_and_needs_no_payment(shop: Any) -> None:
    product = shop.product("75.25")
    sale = await shop.sell(product, method="CASH", payment={"tendered": "200"})
    assert (sale["status"], sale["total"], sale["tendered"], sale["change"]) == (
        "COMPLETED",
        "150.50",
        "200.00",
        "49.50",
    )
    assert sale["transactionId"] is None
    assert sale["payment"]["method"] == "CASH"
    assert shop.stock(product) == (8, 2)
    assert await shop.events(sale["id"]) == ["sale.completed"]
    assert sale["id"] not in shop.payments.by_key


async def test_cash_without_a_word_on_tender_is_exact(shop: Any) -> None:
    sale = await shop.sell(shop.product(), method="CASH")
    assert (sale["tendered"], sale["change"]) == ("150.50", "0.00")


async def test_too_little_cash_takes_everything_back(shop: Any) -> None:
    product = shop.product()
    answer = await shop.post(shop.body(product, method="CASH", payment={"tendered": "150.49"}))
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_tender")
    assert answer.json()["errors"][0]["field"] == "payment.tendered"
    assert shop.stock(product) == (10, 0)
    [sale] = await shop.sales()
    assert (sale["status"], sale["cancelReason"]) == ("CANCELED", "insufficient_tender")
    assert await shop.events(sale["id"]) == []


async def test_discounts_of_line_and_sale(shop: Any) -> None:
    first, second = shop.product("100.00"), shop.product("50.00", tax_rate="0")
    items = [
        {"productId": str(first), "quantity": 1, "discount": "10.00"},
        {"productId": str(second), "quantity": 2},
    ]
    sale = await shop.sell(first, items=items, discount="19.00", method="CASH")
    assert [line["discount"] for line in sale["items"]] == ["19.00", "10.00"]
    assert (sale["total"], sale["discount"], sale["tax"]) == ("171.00", "29.00", "11.17")
    assert sale["subtotal"] == "188.83"


async def test_the_same_product_twice_keeps_two_lines(shop: Any) -> None:
    product = shop.product("10.00", stock=5)
    items = [{"productId": str(product), "quantity": 2}, {"productId": str(product), "quantity": 3, "discount": "1"}]
    sale = await shop.sell(product, items=items, method="CASH")
    assert [line["quantity"] for line in sale["items"]] == [2, 3]
    assert sale["total"] == "49.00"
    assert shop.stock(product) == (0, 5)


@pytest.mark.parametrize(
    ("method", "seconds"), [("QR_STATIC", 900), ("PAYMENT_LINK", 86_400), ("BANK_TRANSFER", 86_400)]
)
async def test_goods_are_reserved_beyond_the_payment(shop: Any, method: str, seconds: int) -> None:
    sale = await shop.sell(shop.product(), method=method)
    assert shop.payments.requests[sale["id"]].expires_in == seconds
    until = shop.sut.clock.now() + timedelta(seconds=seconds + 600)
    assert shop.catalog.reservations[sale["id"]].expires_at_ms == int(until.timestamp() * 1000)
    shown = {"QR_STATIC": "qrCodeUrl", "PAYMENT_LINK": "paymentLink", "BANK_TRANSFER": "transfer"}[method]
    assert sale["payment"][shown]


async def test_chilean_pesos_have_no_decimals(open_shop: Any) -> None:
    shop = open_shop(Country.CL)
    sale = await shop.sell(shop.product("1990", tax_rate="0.19"), quantity=1, method="CASH", payment={"tendered": 2000})
    assert (sale["total"], sale["tax"], sale["change"], sale["currency"]) == ("1990", "318", "10", "CLP")
    refused = await shop.post(shop.body(shop.product("1990"), method="CASH", discount="0.5"))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "discount")


async def test_insufficient_stock_names_the_line(shop: Any) -> None:
    enough, scarce = shop.product(stock=10), shop.product(stock=1)
    items = [{"productId": str(enough), "quantity": 1}, {"productId": str(scarce), "quantity": 2}]
    answer = await shop.post(shop.body(enough, items=items))
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_stock")
    assert answer.json()["errors"] == [{"field": "items.1.quantity", "message": "only 1 available"}]
    assert shop.stock(enough) == (10, 0)


async def test_an_unknown_product(shop: Any) -> None:
    answer = await shop.post(shop.body(new_id()))
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")


async def test_a_method_the_provider_does_not_have(shop: Any) -> None:
    product = shop.product()
    refusal = RuleViolation("No static QR here", code="method_not_supported")
    shop.payments.faults.before("CreatePayment", shop.payments.faults.failing(refusal))
    answer = await shop.post(shop.body(product, method="QR_STATIC"))
    assert (answer.status_code, answer.json()["code"]) == (422, "method_not_supported")
    assert shop.stock(product) == (10, 0)
    [sale] = await shop.sales()
    assert (sale["status"], sale["cancelReason"]) == ("CANCELED", "payment_failed")
    assert await shop.events(sale["id"]) == ["sale.canceled"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"productId": "x", "quantity": 1}]}, "items.0.productId"),
        ({"items": [{"productId": str(new_id()), "quantity": 0}]}, "items.0.quantity"),
        ({"items": [{"productId": str(new_id()), "quantity": "2"}]}, "items.0.quantity"),
        ({"items": [{"productId": str(new_id()), "quantity": 1.5}]}, "items.0.quantity"),
        ({"items": [{"productId": str(new_id()), "quantity": True}]}, "items.0.quantity"),
        ({"items": [{"productId": str(new_id()), "quantity": 1, "price": "0.01"}]}, "items.0.price"),
        ({"items": [{"productId": str(new_id()), "quantity": 1, "discount": "-1"}]}, "items.0.discount"),
        ({"items": [{"productId": str(new_id()), "quantity": 1, "discount": "0.001"}]}, "items.0.discount"),
        ({"discount": "NaN"}, "discount"),
        ({"discount": "1e30"}, "discount"),
        ({"total": "1.00"}, "total"),
        ({"customer": {"phone": "5512345678"}}, "customer.phone"),
        ({"customer": {"email": "no"}}, "customer.email"),
        ({"customer": {"taxId": "'; DROP TABLE sales; --"}}, "customer.taxId"),
        ({"notes": "nul\u0000"}, "notes"),
        ({"notes": "x" * 2001}, "notes"),
        ({"payment": {"method": "BITCOIN"}}, "payment.method"),
        ({"payment": {"method": "CASH", "expiresIn": 60}}, "payment"),
        ({"payment": {"method": "QR_DYNAMIC", "tendered": "10"}}, "payment"),
        ({"payment": {"method": "QR_DYNAMIC", "expiresIn": 1}}, "payment.expiresIn"),
        ({"payment": {"method": "CASH", "tendered": "10.999"}}, "payment.tendered"),
        ({"businessId": "1"}, "businessId"),
        ({"branchId": 7}, "branchId"),
    ],
)
async def test_invalid_input_names_its_field(shop: Any, change: dict[str, Any], field: str) -> None:
    answer = await shop.post(shop.body(shop.product()) | change)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field
    assert await shop.sales() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"discount": "150.51"}, "discount_too_large"),
        ({"discount": "150.50"}, "nothing_to_pay"),
        ({"discount": "999999999999.00"}, "discount_too_large"),
    ],
)
async def test_discounts_that_make_no_sense(shop: Any, change: dict[str, Any], code: str) -> None:
    product = shop.product()
    answer = await shop.post(shop.body(product) | change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert shop.stock(product) == (10, 0)


async def test_an_amount_beyond_the_books(shop: Any) -> None:
    answer = await shop.post(shop.body(shop.product("9000000000.00", stock=10**6), quantity=10**6, method="CASH"))
    assert (answer.status_code, answer.json()["code"]) == (422, "amount_out_of_range")


async def test_a_gift_costs_nothing_in_cash(shop: Any) -> None:
    sale = await shop.sell(shop.product(), method="CASH", discount="150.50")
    assert (sale["status"], sale["total"], sale["tax"]) == ("COMPLETED", "0.00", "0.00")


@pytest.mark.parametrize("text", ["Robert'); DROP TABLE sales;--", "<script>alert(1)</script>", "🧉 ñandú", "x" * 2000])
async def test_hostile_strings_are_only_strings(shop: Any, text: str) -> None:
    customer = {"name": text[:200], "email": "buyer@example.com", "phone": "+52 55 1234-5678", "taxId": "xaxx010101000"}
    sale = await shop.sell(shop.product(), method="CASH", notes=text, customer=customer)
    again = await shop.get(sale["id"])
    assert again["notes"] == text
    assert again["customer"] == {
        "name": text[:200],
        "email": "buyer@example.com",
        "phone": "+525512345678",
        "taxId": "XAXX010101000",
        "document": None,
        "personType": None,
    }


async def test_malformed_json_and_a_body_too_large(shop: Any) -> None:
    headers = shop.sut.as_(shop.owner) | {"Content-Type": "application/json"}
    broken = await shop.sut.client.post("/api/v1/sales", content=b'{"businessId":', headers=headers)
    assert broken.status_code == 400
    huge = await shop.sut.client.post("/api/v1/sales", content=b'{"notes": "' + b"x" * 2_000_000, headers=headers)
    assert huge.status_code == 413


async def test_the_buyer_is_encrypted_at_rest_and_known_to_the_peers(shop: Any) -> None:
    customer = {"name": "Ana Pérez", "phone": "+525511112222", "email": "ana@example.com"}
    sale = await shop.sell(shop.product(), customer=customer)
    async with shop.sut.kit.database.read() as session:
        from sqlalchemy import text

        row = (
            await session.execute(text("SELECT s::text FROM sales s WHERE id = :id"), {"id": sale["id"]})
        ).scalar_one()
        events = (await session.execute(text("SELECT string_agg(body::text, ' ') FROM outbox"))).scalar_one()
    for value in customer.values():
        assert value not in row
        assert value not in events
    asked = shop.payments.requests[sale["id"]].payer
    assert (asked.name, asked.phone, asked.email) == tuple(customer.values())

    stub = sales_pb2_grpc.SalesStub(await shop.sut.channel())
    request = sales_pb2.GetSaleRequest(business_id=str(shop.business.id), sale_id=sale["id"])
    answer = await call("sales", stub.GetSale(request, timeout=2))
    assert answer.customer.email == "ana@example.com"
    assert (answer.total_minor, answer.lines[0].total_minor, answer.lines[0].quantity) == (15050, 15050, 2)
    for business, sale_id in ((new_id(), sale["id"]), (shop.business.id, new_id()), ("x", "y")):
        foreign = sales_pb2.GetSaleRequest(business_id=str(business), sale_id=str(sale_id))
        with pytest.raises(NotFound):
            await call("sales", stub.GetSale(foreign, timeout=2))


async def test_the_list_is_filtered_and_paged(shop: Any) -> None:
    product = shop.product(stock=100)
    sold = [(await shop.sell(product, method="CASH", quantity=1))["id"] for _ in range(3)]
    shop.sut.clock.advance(timedelta(minutes=1))
    moment = shop.sut.clock.now()
    waiting = (await shop.sell(product, quantity=1))["id"]
    headers = shop.sut.as_(shop.owner)

    async def ids(**params: str) -> list[str]:
        answer = await shop.sut.client.get(
            "/api/v1/sales", params={"businessId": str(shop.business.id), **params}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        return [sale["id"] for sale in answer.json()["data"]]

    assert await ids() == [waiting, *reversed(sold)]
    assert await ids(status="PENDING_PAYMENT") == [waiting]
    assert await ids(**{"from": moment.isoformat()}) == [waiting]
    assert await ids(to=moment.isoformat()) == list(reversed(sold))
    assert await ids(branchId=str(shop.branch.id), limit="1", page="2") == [sold[2]]
    assert await ids(branchId=str(new_id())) == []
    first = await shop.sut.client.get(
        "/api/v1/sales", params={"businessId": str(shop.business.id), "limit": 2}, headers=headers
    )
    meta = first.json()["meta"]
    assert (meta["total"], meta["totalPages"]) == (4, 2)
    assert await ids(limit="2", cursor=meta["nextCursor"]) == [sold[1], sold[0]]
    bad = await shop.sut.client.get("/api/v1/sales", params={"from": "yesterday"}, headers=headers)
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "from")


async def test_other_tenants_see_nothing(open_shop: Any) -> None:
    shop, other = open_shop(), open_shop()
    product = shop.product()
    sale = await shop.sell(product)
    stranger = shop.sut.as_(other.owner)
    foreign = await shop.sut.client.get(f"/api/v1/sales/{sale['id']}", headers=stranger)
    missing = await shop.sut.client.get(f"/api/v1/sales/{new_id()}", headers=stranger)
    assert foreign.status_code == missing.status_code == 404
    assert {**foreign.json(), "requestId": ""} == {**missing.json(), "requestId": ""}
    assert (await shop.cancel(sale["id"], caller=other.owner)).status_code == 404
    assert (await shop.post(shop.body(product), caller=other.owner)).status_code == 404
    listed = await shop.sut.client.get("/api/v1/sales", headers=stranger)
    assert listed.json()["data"] == []
    asked = await shop.sut.client.get("/api/v1/sales", params={"businessId": str(shop.business.id)}, headers=stranger)
    assert asked.status_code == 404
    nested = await other.post(other.body(other.product(), branchId=str(shop.branch.id)))
    assert (nested.status_code, nested.json()["code"]) == (404, "branch_not_found")
    assert (await shop.get(sale["id"]))["status"] == "PENDING_PAYMENT"


async def test_employees_keep_to_their_branches(shop: Any) -> None:
    second = shop.sut.directory.open_branch(shop.business.id)
    employee = make_principal(role=Role.EMPLOYEE, works_at=[(shop.business.id, [second.id])])
    product = shop.product()
    elsewhere = await shop.sell(product, quantity=1)
    own = await shop.post(shop.body(product, quantity=1), caller=employee)
    assert own.json()["data"]["branchId"] == str(second.id)
    refused = await shop.post(shop.body(product, branchId=str(shop.branch.id)), caller=employee)
    assert (refused.status_code, refused.json()["code"]) == (403, "branch_forbidden")
    headers = shop.sut.as_(employee)
    listed = await shop.sut.client.get("/api/v1/sales", headers=headers)
    assert [sale["id"] for sale in listed.json()["data"]] == [own.json()["data"]["id"]]
    assert (await shop.sut.client.get(f"/api/v1/sales/{elsewhere['id']}", headers=headers)).status_code == 403
    nowhere = make_principal(role=Role.EMPLOYEE, works_at=[(shop.business.id, [])])
    assert (await shop.post(shop.body(product), caller=nowhere)).status_code == 403


async def test_an_administrator_sees_all(open_shop: Any) -> None:
    shop = open_shop()
    sale = await shop.sell(shop.product())
    headers = shop.sut.as_(make_principal(role=Role.ADMIN))
    listed = await shop.sut.client.get("/api/v1/sales", params={"limit": 1}, headers=headers)
    assert listed.json()["data"][0]["id"] == sale["id"]


async def test_a_token_is_needed(shop: Any) -> None:
    assert (await shop.sut.client.get("/api/v1/sales")).status_code == 401
    assert (await shop.sut.client.post("/api/v1/sales", json=shop.body(shop.product()))).status_code == 401


async def test_a_shop_without_branches(open_shop: Any) -> None:
    shop = open_shop()
    del shop.sut.directory.branches[shop.branch.id]
    answer = await shop.post(shop.body(shop.product()))
    assert (answer.status_code, answer.json()["code"]) == (422, "branch_needed")
