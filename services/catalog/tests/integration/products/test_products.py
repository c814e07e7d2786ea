import asyncio

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from contracts.events.catalog import ProductCreated, ProductDeleted, ProductUpdated, StockChanged
from kernel import Country, new_id

pytestmark = pytest.mark.integration


async def test_a_product_is_created_with_its_first_stock(shop) -> None:
    product = await shop.product(
        sku="CAFE-250",
        barcode="7501234567890",
        description="Grano",
        category="Bebidas",
        cost="40",
        stock=12,
        minStock=3,
    )

    assert product["stock"] == 12
    assert (product["price"], product["cost"], product["currency"]) == ("89.50", "40.00", "MXN")
    assert (product["minStock"], product["isActive"], product["sku"]) == (3, True, "CAFE-250")
    assert await shop.level(product["id"]) == (12, 0)
    read = await shop.request("GET", f"/{product['id']}")
    assert read.json()["data"] == product
    created = await shop.sut.published(ProductCreated, aggregate_id=product["id"])
    assert [(event.name, event.price.amount, event.aggregate_version) for event in created] == [
        ("Café de olla", "89.50", 1)
    ]
    movements = (await shop.request("GET", f"/{product['id']}/stock-movements")).json()["data"]
    assert [(movement["type"], movement["change"], movement["onHand"]) for movement in movements] == [("IN", 12, 12)]
    await shop.assert_books_balance()


@pytest.mark.parametrize(("country", "rate"), [(Country.MX, "0.16"), (Country.CO, "0.19"), (Country.AR, "0.21")])
async def test_the_tax_rate_is_the_countrys_unless_given(shop, country, rate) -> None:
    business = shop.sut.directory.open_business(country=country)
    owner = make_principal(owns=[business.id])

    standard = await shop.create(by=owner, businessId=str(business.id))
    exempt = await shop.create(by=owner, businessId=str(business.id), taxRate="0")

    assert standard.json()["data"]["taxRate"] == rate
    assert exempt.json()["data"]["taxRate"] == "0"


async def test_chilean_prices_have_no_decimals(chilean_shop) -> None:
    refused = await chilean_shop.create(price="990.5")
    product = await chilean_shop.product(price="990")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "price"
    assert (product["price"], product["currency"], product["taxRate"]) == ("990", "CLP", "0.19")


async def test_first_stock_needs_a_branch(sut, shop) -> None:
    business = sut.directory.open_business()
    owner = make_principal(owns=[business.id])

    refused = await shop.create(by=owner, businessId=str(business.id), stock=1)
    empty = await shop.create(by=owner, businessId=str(business.id))

    assert (refused.status_code, refused.json()["code"]) == (422, "branch_needed")
    assert (empty.status_code, empty.json()["data"]["stock"]) == (201, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", None),
        ("name", 7),
        ("name", "x" * 10_000),
        ("name", "a\x00b"),
        ("price", "-1"),
        ("price", "1.005"),
        ("price", "NaN"),
        ("price", "1e400"),
        ("price", True),
        ("price", "9" * 20),
        ("price", "999999999999999999"),
        ("cost", "-0.01"),
        ("taxRate", "16"),
        ("taxRate", "1"),
        ("taxRate", "0.16001"),
        ("taxRate", "-0.1"),
        ("stock", -1),
        ("stock", 1.5),
        ("stock", True),
        ("stock", 10**12),
        ("minStock", -1),
        ("sku", ""),
        ("sku", "a\x00b"),
        ("sku", "x" * 65),
        ("barcode", "line\nbreak"),
        ("imageUrl", "javascript:alert(1)"),
        ("imageUrl", 'https://x/"onerror=1'),
        ("isActive", "perhaps"),
        ("businessId", "not-a-uuid"),
        ("owner", "unknown field"),
    ],
)
async def test_bad_input_is_named(shop, field, value) -> None:
    answer = await shop.create(**{field: value})

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "validation_failed"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_lone_surrogate_is_refused(shop) -> None:
    content = f'{{"businessId": "{shop.business.id}", "price": "1", "name": "\\ud800"}}'

    answer = await shop.request("POST", "", content=content)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE products; --", "<script>alert(1)</script>", "☕🌮 Ñandú %s {x} \\ ' \"", "ŉ½™", "x" * 200]
)
async def test_hostile_text_is_kept_as_it_is_and_found_again(shop, name) -> None:
    product = await shop.product(name=name, description=name)

    assert product["name"] == name
    assert (await shop.request("GET", f"/{product['id']}")).json()["data"]["name"] == name
    assert name in await shop.search()
    answer = await shop.request("GET", "", params={"businessId": str(shop.business.id), "q": name})
    assert answer.status_code == 200


@pytest.mark.parametrize("field", ["sku", "barcode"])
async def test_codes_are_unique_among_living_products_of_a_business(shop, other_shop, field) -> None:
    first = await shop.product(**{field: "A-1"})

    again = await shop.create(**{field: "A-1"})
    elsewhere = await other_shop.create(**{field: "A-1"})
    other = await shop.product(**{field: "A-2"})
    renamed = await shop.request("PATCH", f"/{other['id']}", json={field: "A-1"})
    await shop.request("DELETE", f"/{first['id']}")
    reused = await shop.create(**{field: "A-1"})

    assert (again.status_code, again.json()["code"]) == (409, f"{field}_taken")
    assert elsewhere.status_code == 201
    assert (renamed.status_code, renamed.json()["code"]) == (409, f"{field}_taken")
    assert reused.status_code == 201


async def test_of_many_who_want_a_sku_at_once_one_gets_it(shop) -> None:
    answers = await asyncio.gather(*(shop.create(sku="ONE", stock=1) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_put_replaces_and_patch_changes_what_is_named(shop) -> None:
    product = await shop.product(sku="A", description="old", category="x", cost="1", taxRate="0", minStock=4)
    path = f"/{product['id']}"

    patched = (await shop.request("PATCH", path, json={"price": "10", "description": None})).json()["data"]
    replaced = await shop.request("PUT", path, json={"name": "Té", "price": "5", "businessId": str(shop.business.id)})

    assert patched == {**product, "price": "10.00", "description": None, "updatedAt": patched["updatedAt"]}
    found = replaced.json()["data"]
    assert (found["name"], found["price"], found["taxRate"], found["minStock"]) == ("Té", "5.00", "0.16", 0)
    assert all(found[name] is None for name in ("sku", "description", "category", "cost"))
    updates = await shop.sut.published(ProductUpdated, aggregate_id=product["id"])
    assert [event.aggregate_version for event in updates] == [2, 3]


async def test_a_change_that_changes_nothing_is_no_event(shop) -> None:
    product = await shop.product(sku="A")

    answer = await shop.request("PATCH", f"/{product['id']}", json={"sku": "A", "price": "89.5"})

    assert answer.json()["data"] == product
    assert await shop.sut.published(ProductUpdated, aggregate_id=product["id"]) == []


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("PATCH", {"name": None}, "name"),
        ("PATCH", {"price": None}, "price"),
        ("PATCH", {"isActive": None}, "isActive"),
        ("PATCH", {"stock": 5}, "stock"),
        ("PATCH", {"price": "1.001"}, "price"),
        ("PUT", {"name": "Té"}, "price"),
        ("PUT", {"name": "Té", "price": "1", "stock": 5}, "stock"),
        ("PUT", {"name": "Té", "price": "1", "businessId": "018f4e4e-0000-7000-8000-000000000000"}, "businessId"),
    ],
)
async def test_bad_changes_are_named(shop, method, body, field) -> None:
    product = await shop.product()

    answer = await shop.request(method, f"/{product['id']}", json=body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_concurrent_changes_all_count(shop) -> None:
    product = await shop.product()

    await asyncio.gather(
        *(shop.request("PATCH", f"/{product['id']}", json={"price": str(price)}) for price in range(1, 11))
    )

    updates = await shop.sut.published(ProductUpdated, aggregate_id=product["id"])
    assert sorted(event.aggregate_version for event in updates) == list(range(2, 12))


async def test_a_deleted_product_is_gone_and_its_history_stays(shop) -> None:
    product = await shop.product(stock=3)
    path = f"/{product['id']}"

    deleted = await shop.request("DELETE", path)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await shop.request("GET", path)).status_code == 404
    assert (await shop.request("DELETE", path)).status_code == 404
    assert (await shop.request("PATCH", path, json={"price": "1"})).status_code == 404
    assert (await shop.move(product["id"], type="IN", quantity=1)).status_code == 404
    assert await shop.search() == []
    events = await shop.sut.published(ProductDeleted, aggregate_id=product["id"])
    assert [event.aggregate_version for event in events] == [2]
    await shop.assert_books_balance()


async def test_another_businesss_product_looks_like_none(shop, other_shop) -> None:
    product = await shop.product(stock=1)
    stranger = other_shop.owner
    changes = {"name": "x", "price": "1"}
    for method, tail, body in (
        ("GET", "", None),
        ("PUT", "", changes),
        ("PATCH", "", changes),
        ("DELETE", "", None),
        ("GET", "/stock", None),
        ("GET", "/stock-movements", None),
        ("POST", "/stock-movements", {"branchId": str(shop.branch.id), "type": "IN", "quantity": 1}),
    ):
        foreign = await shop.request(method, f"/{product['id']}{tail}", by=stranger, json=body)
        missing = await shop.request(method, f"/{new_id()}{tail}", by=stranger, json=body)
        assert foreign.status_code == missing.status_code == 404
        assert {**foreign.json(), "requestId": ""} == {**missing.json(), "requestId": ""}
    created = await shop.create(by=stranger)
    listed = await shop.request("GET", "", by=stranger, params={"businessId": str(shop.business.id)})
    own = await shop.request("GET", "", by=stranger)

    assert (created.status_code, created.json()["code"]) == (404, "business_not_found")
    assert listed.status_code == 404
    assert own.json()["data"] == []


async def test_an_employee_reads_and_does_not_write(shop) -> None:
    product = await shop.product(stock=1)
    path, employee = f"/{product['id']}", shop.employee()

    assert (await shop.request("GET", path, by=employee)).status_code == 200
    assert (await shop.request("GET", f"{path}/stock", by=employee)).status_code == 200
    assert (await shop.request("GET", f"{path}/stock-movements", by=employee)).status_code == 200
    for answer in (
        await shop.create(by=employee),
        await shop.request("PUT", path, by=employee, json={"name": "x", "price": "1"}),
        await shop.request("PATCH", path, by=employee, json={"price": "1"}),
        await shop.request("DELETE", path, by=employee),
        await shop.move(product["id"], by=employee, type="IN", quantity=1),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_without_a_token_there_is_nothing(sut, shop) -> None:
    answer = await sut.client.get("/api/v1/products")

    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


async def test_an_admin_sees_every_business(shop) -> None:
    product = await shop.product()

    answer = await shop.request("GET", f"/{product['id']}", by=make_principal(role=Role.ADMIN))

    assert answer.status_code == 200


async def test_the_same_key_creates_once(shop, key) -> None:
    first = await shop.create(key=key, sku="A", stock=5)
    again = await shop.create(key=key, sku="A", stock=5)
    other = await shop.create(key=key, sku="B", stock=5)

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await shop.level(first.json()["data"]["id"]) == (5, 0)


async def test_the_same_key_at_once_creates_once(shop, key) -> None:
    answers = await asyncio.gather(*(shop.create(key=key, stock=5) for _ in range(6)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    created = {answer.json()["data"]["id"] for answer in answers if answer.status_code == 201}
    assert len(created) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert answer.headers["retry-after"] == "1"
    assert len(await shop.search()) == 1


async def test_a_refused_product_leaves_nothing_behind(shop, key) -> None:
    await shop.product(sku="A")

    refused = await shop.create(key=key, sku="A", stock=5)
    corrected = await shop.create(key=key, sku="B", stock=5)

    assert refused.status_code == 409
    assert corrected.status_code == 201
    changes = [event for event in await shop.sut.published(StockChanged) if event.business_id == shop.business.id]
    assert len(changes) == 1
