"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

import pytest
from chassis.rpc.client import call
from chassis.testing.barriers import unsecured
from chassis.testing.tokens import make_principal
from contracts.catalog.v1 import inventory_pb2
from kernel import NotFound, new_id

pytestmark = pytest.mark.integration


async def test_every_table_is_secured(sut):
    assert await unsecured(sut.owner_url, exempt={}) == []


async def reach(shop, product):
    """What a stranger gets of somebody else's product, by every route."""
    path, stranger = f"/{product['id']}", make_principal(owns=[new_id()])
    requests = [
        ("GET", path, None),
        ("PUT", path, {"name": "Mío", "price": "1.00"}),
        ("PATCH", path, {"price": "1.00"}),
        ("GET", f"{path}/stock", None),
        ("GET", f"{path}/stock-movements", None),
        ("POST", f"{path}/stock-movements", {"type": "IN", "quantity": 1, "branchId": str(shop.branch.id)}),
        ("POST", "", {"businessId": str(shop.business.id), "name": "Mío", "price": "1.00"}),
        ("DELETE", path, None),
    ]
    statuses = {}
    for method, where, body in requests:
        answer = await shop.request(method, where, by=stranger, json=body)
        statuses[f"{method} {where.removeprefix(path)}"] = answer.status_code
    business = {"businessId": str(shop.business.id)}
    exported = await shop.request("GET", "/export", by=stranger, params=business)
    statuses["export"] = 200 if product["id"] in exported.text else 404
    history = await shop.sut.client.get("/api/v1/stock-movements", headers=shop.sut.as_(stranger))
    statuses["history"] = 200 if product["id"] in history.text else 404
    settings = f"/api/v1/catalog-settings/{shop.business.id}"
    changed = await shop.sut.client.put(settings, headers=shop.sut.as_(stranger), json={"allowNegativeStock": True})
    statuses["settings"] = changed.status_code
    headers = shop.sut.as_(stranger) | {"Content-Type": "text/csv"}
    for content in (f"id,price\n{product['id']},1\n", "name,price\nMío,1\n"):
        path = "/api/v1/products/import"
        sent = await shop.sut.client.post(path, headers=headers, params=business, content=content)
        statuses[f"import {content}"] = 404 if sent.status_code == 400 else sent.status_code
    for query in ({}, {"q": product["name"]}, {"q": "Cafe de ola"}):
        listed = await shop.request("GET", "", by=stranger, params=query)
        found = [item for item in listed.json()["data"] if item["id"] == product["id"]]
        statuses[f"list {query}"] = 200 if found else 404
    return set(statuses.values()), statuses


async def test_the_filter_alone(shop):
    product = await shop.product(stock=3)
    async with shop.sut.row_security_off():
        found, statuses = await reach(shop, product)
    assert found == {404}, statuses


async def test_row_level_security_alone(shop):
    product = await shop.product(stock=3)
    with shop.sut.filters_off():
        found, statuses = await reach(shop, product)
    assert found == {404}, statuses
    assert (await shop.request("GET", f"/{product['id']}")).json()["data"] == product


async def test_with_both_down_nothing_holds(shop):
    product = await shop.product(stock=3)
    async with shop.sut.row_security_off():
        with shop.sut.filters_off():
            _, statuses = await reach(shop, product)
    assert set(statuses.values()) <= {200, 201, 204, 404}
    assert [statuses[name] for name in ("GET ", "PATCH ", "DELETE ")] == [200, 200, 204]


async def test_a_call_for_one_business_cannot_touch_anothers_goods(shop, other_shop):
    product, sale = await shop.product(stock=3), new_id()
    await shop.reserve({product["id"]: 1}, sale=sale)
    with pytest.raises(NotFound):
        await other_shop.reserve({product["id"]: 1})
    with pytest.raises(NotFound):
        await other_shop.commit(sale)
    request = inventory_pb2.CommitRequest(business_id=str(shop.business.id), sale_id=str(sale))
    assert (await call("catalog", shop.inventory.Commit(request))).status == "COMMITTED"
