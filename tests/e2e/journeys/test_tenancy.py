"""What belongs to another business does not exist, whichever way it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from kernel import new_id

from e2e.client import Client
from e2e.merchant import Json, Merchant, open_shop
from e2e.operations import Operation, documented, things_of, valid_bodies
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# What only administrators may see is refused before it is looked for.
_FOR_ADMINISTRATORS = ("/webhook-events",)


@dataclass
class Neighbour:
    """A merchant with one of everything, and the state it was in."""

    owner: Merchant
    product: Json
    ids: dict[str, Any]

    async def state(self) -> list[Any]:
        get = self.owner.client.get
        business, ids = self.owner.business_id, self.ids
        return [
            (await get(f"/businesses/{business}")).data(),
            (await get(f"/businesses/{business}/branches")).data(),
            (await get("/products", businessId=business)).data(),
            (await get(f"/products/{ids['product_id']}/stock-movements")).data(),
            (await get("/sales", businessId=business)).data(),
            (await get("/payments", businessId=business)).data(),
            (await get(f"/payments/{ids['payment_id']}/refunds")).data(),
            (await get("/invoices", businessId=business)).data(),
            (await get("/notification-preferences", businessId=business)).data(),
        ]


@pytest.fixture(scope="module")
async def neighbour(stage: Stage) -> AsyncIterator[Neighbour]:
    owner = await open_shop(stage)
    product = await owner.product()
    ids = await things_of(owner, product)
    found = Neighbour(owner, product, ids)
    await until(lambda: refunded(owner, ids["payment_id"]))
    before = await found.state()
    yield found
    assert await found.state() == before


async def refunded(owner: Merchant, payment: str) -> bool:
    payment_ = (await owner.client.get(f"/payments/{payment}")).data()
    return bool(payment_["refundedAmount"] == "1.00")


async def test_nothing_of_another_business_can_be_reached(
    stage: Stage, neighbour: Neighbour, merchant: Merchant
) -> None:
    """Every documented operation that names something in its path, with an own and with the neighbour's body."""
    own = valid_bodies(merchant, await merchant.product())
    theirs = valid_bodies(neighbour.owner, neighbour.product)
    for operation in await reaching(stage.client):
        for bodies in (own, theirs):
            await refused(merchant.client, operation, neighbour.ids, bodies)


async def test_nothing_that_does_not_exist_can_be_reached(stage: Stage, merchant: Merchant) -> None:
    bodies = valid_bodies(merchant, await merchant.product())
    for operation in await reaching(stage.client):
        ids = {name: str(new_id()) for name in operation.parameters}
        await refused(merchant.client, operation, ids, bodies)


async def test_what_is_nested_is_asked_for_by_its_own_parent(
    stage: Stage, neighbour: Neighbour, merchant: Merchant
) -> None:
    """The caller's own business, payment or product, and the neighbour's thing below it."""
    product = await merchant.product()
    own = await things_of(merchant, product)
    bodies = valid_bodies(merchant, product)
    for operation in await reaching(stage.client):
        *parents, last = operation.parameters
        if parents:
            mixed = {**{name: own[name] for name in parents}, last: neighbour.ids[last]}
            await refused(merchant.client, operation, mixed, bodies)


async def test_filters_do_not_open_another_business(stage: Stage, neighbour: Neighbour, merchant: Merchant) -> None:
    for operation in await documented(stage.client):
        if operation.method == "GET" and "businessId" in operation.query:
            query = {"businessId": neighbour.owner.business_id}
            (await merchant.client.get(operation.path, **query)).error(404)
            if "branchId" in operation.query:
                query = {"businessId": merchant.business_id, "branchId": neighbour.owner.branch_id}
                empty_or_refused(await merchant.client.get(operation.path, **query))
    ids = neighbour.ids
    searches: list[tuple[str, dict[str, str]]] = [
        ("/invoices", {"saleId": ids["sale_id"]}),
        ("/payments", {"q": ids["payment_id"]}),
        ("/products", {"sku": neighbour.product["sku"]}),
        ("/products", {"q": neighbour.product["sku"]}),
    ]
    for path, query in searches:
        for business in ({}, {"businessId": merchant.business_id}):
            assert (await merchant.client.get(path, **query, **business)).data() == []


def empty_or_refused(answer: Any) -> None:
    if answer.status != 200:
        answer.error(404)
        return
    data = answer.data()
    rows = data if isinstance(data, list) else [row for row in data.values() if isinstance(row, list) for row in row]
    assert rows == [] or all(row.get("branchId") is None for row in rows), answer


async def test_lists_show_the_callers_own(stage: Stage, neighbour: Neighbour, merchant: Merchant) -> None:
    """Without a filter, and with a token that knows the business."""
    await merchant.product()
    client = merchant.client.holding((await merchant.log_in())["accessToken"])
    for path in ("/businesses", "/products", "/sales", "/payments", "/invoices", "/notifications"):
        rows = (await client.get(path)).data()
        owners = {row.get("businessId", row["id"]) for row in rows}
        assert owners <= {merchant.business_id}, path


async def test_what_a_body_names_must_be_the_callers_own(neighbour: Neighbour, merchant: Merchant) -> None:
    own = await merchant.product()
    theirs, post = neighbour.product, merchant.client.post
    basket = merchant.basket(own)
    sales = [
        merchant.basket(theirs),
        {**basket, "branchId": neighbour.owner.branch_id},
        {**basket, "businessId": neighbour.owner.business_id, "branchId": neighbour.owner.branch_id},
        neighbour.owner.basket(theirs),
        {**basket, "items": [*basket["items"], *merchant.basket(theirs)["items"]]},
    ]
    for body in sales:
        (await post("/sales", body)).error(404)
        cash = {**body, "payment": {"method": "CASH", "tendered": "1000.00"}}
        (await post("/sales", cash)).error(404)
    movement = {"branchId": neighbour.owner.branch_id, "type": "IN", "quantity": 1}
    (await post(f"/products/{own['id']}/stock-movements", movement)).error(404)
    transfer = {
        "branchId": merchant.branch_id,
        "toBranchId": neighbour.owner.branch_id,
        "type": "TRANSFER",
        "quantity": 1,
    }
    (await post(f"/products/{own['id']}/stock-movements", transfer)).error(404)
    payment = {"businessId": neighbour.owner.business_id, "amount": "10.00", "method": "QR_DYNAMIC"}
    (await post("/payments/intent", payment)).error(404)
    product = {"businessId": neighbour.owner.business_id, "name": "Intruso", "price": "1.00"}
    (await post("/products", product)).error(404)
    await merchant.stock_becomes(own, 10)


async def test_a_buyers_key_opens_its_own_receipt_only(stage: Stage, neighbour: Neighbour, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product, method="CASH", tendered="500.00")
    await merchant.receipt(sale)
    nobody = stage.client.holding(None)
    receipt = f"/receipts/{neighbour.ids['sale_id']}"
    for key in ("x", "0" * 22, "%00", "é", "'--"):
        (await nobody.call("GET", receipt, query={"key": key})).error(400, 404)
    (await nobody.call("GET", receipt)).error(401)
    (await nobody.call("GET", receipt, query={"key": ""})).error(401)


async def reaching(client: Client) -> list[Operation]:
    """Operations whose path names something that belongs to somebody."""
    return [found for found in await documented(client) if found.parameters and found.parameters != ("provider",)]


async def refused(client: Client, operation: Operation, ids: dict[str, Any], bodies: dict[str, Json]) -> None:
    ids = {name: ids.get(name, str(new_id())) for name in operation.parameters}
    # A body that is invalid would be refused for that, whoever asks.
    body = bodies[operation.name] if operation.takes_body else None
    headers = {"Idempotency-Key": str(new_id())} if operation.method == "POST" else {}
    answer = await client.call(operation.method, operation.at(ids), body=body, headers=headers)
    answer.error(403 if operation.path.startswith(_FOR_ADMINISTRATORS) else 404)
