"""A till that was offline sends what it sold: entered once, each sale on its own, whatever happens on the way."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from chassis.testing.tokens import make_principal
from kernel import RuleViolation, Unavailable, new_id

pytestmark = pytest.mark.integration


class Till:
    """A till of a shop, which numbers its sales."""

    def __init__(self, shop: Any, name: str = "caja-1") -> None:
        self.shop = shop
        self.name = name
        self.sequence = 0

    def sale(self, product: UUID, *, minutes_ago: int = 60, **fields: Any) -> dict[str, Any]:
        self.sequence += 1
        sold_at = self.shop.sut.clock.now() - timedelta(minutes=minutes_ago)
        return {
            "id": str(new_id()),
            "soldAt": sold_at.isoformat(),
            "sequence": self.sequence,
            "items": [{"productId": str(product), "quantity": 2}],
            "payment": {"method": "CASH"},
            **fields,
        }

    async def post(
        self, sales: list[Any], *, caller: Any = None, key: str | None = None, **fields: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        body = {"businessId": str(self.shop.business.id), "deviceId": self.name, "sales": sales, **fields}
        return await self.shop.sut.client.post(
            "/api/v1/sales/sync", json=body, headers=self.shop.sut.as_(caller or self.shop.owner, **headers)
        )

    async def send(self, *sales: Any, **fields: Any) -> list[dict[str, Any]]:
        answer = await self.post(list(sales), **fields)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["data"]["results"]
        return results

    async def device(self) -> dict[str, Any]:
        answer = await self.shop.sut.client.get(
            "/api/v1/sales/sync/devices",
            params={"businessId": str(self.shop.business.id)},
            headers=self.shop.sut.as_(self.shop.owner),
        )
        return next(device for device in answer.json()["data"] if device["deviceId"] == self.name)


def told(results: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(item["result"], item["code"]) for item in results]


async def test_what_was_sold_is_entered_once(shop: Any) -> None:
    """Nothing is refused for want of stock, and prices are asked for the moment of the sale."""
    till, product = Till(shop), shop.product(stock=1)
    sale = till.sale(product, customer={"phone": "+525512345678"}, total="150.50")
    [first] = await till.send(sale)
    assert (first["result"], first["statusCode"], first["status"]) == ("accepted", 201, "COMPLETED")
    assert (first["total"], first["difference"]) == ("150.50", "0.00")
    [again] = await till.send(sale)
    assert (again["result"], again["statusCode"], again["total"]) == ("duplicate", 200, "150.50")
    stored = await shop.get(sale["id"])
    assert (stored["till"], stored["tillSequence"], stored["paymentNote"]) == ("caja-1", 1, None)
    assert stored["soldAt"][:16] == sale["soldAt"][:16]
    assert shop.stock(product) == (0, 2)
    assert await shop.events(sale["id"]) == ["sale.completed"]
    sold_at = shop.sut.clock.now() - timedelta(minutes=60)
    assert shop.catalog.priced_at_ms[sale["id"]] == int(sold_at.timestamp() * 1000)


async def test_another_sale_under_the_id_is_told_and_not_entered(shop: Any) -> None:
    till, product = Till(shop), shop.product()
    sale = till.sale(product)
    other = {**sale, "items": [{"productId": str(product), "quantity": 1}]}
    results = await till.send(sale, other, sale)
    assert told(results) == [("accepted", None), ("rejected", "sale_id_reused"), ("duplicate", None)]
    assert results[1]["statusCode"] == 409
    online = await shop.sell(product, method="CASH")
    assert told(await till.send({**sale, "id": online["id"]})) == [("rejected", "sale_id_reused")]
    assert len(await shop.sales()) == 2


async def test_an_id_of_another_tenant_is_answered_like_any_used_one(open_shop: Any) -> None:
    ours, theirs = open_shop(), open_shop()
    foreign = Till(theirs).sale(theirs.product())
    await Till(theirs).send(foreign)
    before = await theirs.get(foreign["id"])
    till = Till(ours)
    used = till.sale(ours.product())
    await till.send(used)
    changed = {**used, "notes": "otra"}
    [stolen, reused] = await till.send({**used, "id": foreign["id"]}, changed)
    assert {**stolen, "id": None} == {**reused, "id": None}
    assert stolen["code"] == "sale_id_reused"
    assert await theirs.get(foreign["id"]) == before
    assert len(await ours.sales()) == 1


async def test_a_bad_sale_does_not_stop_the_others(shop: Any) -> None:
    till, product = Till(shop), shop.product()
    good = [till.sale(product), till.sale(product)]
    bad: list[Any] = [
        None,
        {"id": "x" * 300},
        {**till.sale(product), "notes": "\x00"},
        {**till.sale(product), "sequence": 10**30},
        {**till.sale(product), "soldAt": "0001-01-01T00:00:00+23:59"},
        {**till.sale(product), "soldAt": "9999-12-31T23:59:59-23:59"},
        {**till.sale(product), "soldAt": "2026-01-01T10:00:00"},
        {**till.sale(product), "total": "1.005"},
        {**till.sale(product), "total": "-1"},
        {**till.sale(product), "businessId": str(uuid4())},
        {**till.sale(product), "payment": {"method": "QR_DYNAMIC"}},
        {**till.sale(product), "payment": {"method": "CASH", "cashRegisterId": str(uuid4())}},
        {**till.sale(product), "branchId": str(uuid4())},
        till.sale(new_id()),
        till.sale(product, discount="9999"),
    ]
    results = await till.send(good[0], *bad, good[1])
    codes = [code for _, code in told(results)[1:-1]]
    assert codes == [
        *["validation_failed"] * 4,
        "sold_too_long_ago",
        "sold_in_future",
        *["validation_failed"] * 4,
        "offline_sale_not_cash",
        "cash_register_not_found",
        "branch_not_found",
        "product_not_found",
        "discount_too_large",
    ]
    assert [results[0]["result"], results[-1]["result"]] == ["accepted"] * 2
    assert results[3]["errors"] == [{"field": "notes", "message": results[3]["errors"][0]["message"]}]
    assert shop.stock(product) == (6, 4)
    completed = [sale for sale in await shop.sales() if sale["status"] == "COMPLETED"]
    assert {sale["id"] for sale in completed} == {sale["id"] for sale in good}


async def test_a_batch_has_its_limits(shop: Any) -> None:
    till, product = Till(shop), shop.product()
    assert (await till.post([till.sale(product)] * 101)).status_code == 400
    assert (await till.post([])).status_code == 400
    assert (await till.post([], deviceId="caja 1")).status_code == 400
    stranger = make_principal(owns=[new_id()])
    assert (await till.post([till.sale(product)], caller=stranger)).status_code == 404


async def test_a_refused_sale_may_be_sent_again(shop: Any) -> None:
    """A product that the till sold before the catalogue knew it; a discount is refused for good."""
    till, unknown = Till(shop), new_id()
    early, wrong = till.sale(unknown), till.sale(shop.product(), discount="9999")
    assert told(await till.send(early, wrong)) == [
        ("rejected", "product_not_found"),
        ("rejected", "discount_too_large"),
    ]
    known = shop.catalog.products[wrong["items"][0]["productId"]]
    shop.catalog.products[str(unknown)] = type(known)(
        product_id=str(unknown), name="Nuevo", unit_price_minor=1000, currency="MXN", tax_rate="0.16"
    )
    shop.catalog.available[str(unknown)] = shop.catalog.sold[str(unknown)] = 0
    await shop.resume()
    assert told(await till.send(wrong, early, early)) == [
        ("rejected", "discount_too_large"),
        ("accepted", None),
        ("duplicate", None),
    ]
    assert shop.stock(unknown) == (0, 2)
    assert await shop.events(early["id"]) == ["sale.completed"]
    device = await till.device()
    assert (device["sales"], device["highestSequence"], device["repeated"]) == (1, 1, 0)


async def test_while_the_catalogue_is_away_sales_are_kept_and_entered_later(shop: Any) -> None:
    till, product, key = Till(shop), shop.product(), uuid4().hex
    batch = [till.sale(product) for _ in range(3)]
    shop.catalog.faults.before("Reserve", shop.catalog.faults.failing(Unavailable("down")))
    results = await till.send(*batch, key=key)
    assert [item["result"] for item in results] == ["pending"] * 3
    # Only the first was tried: the others did not wait for it in turn.
    assert shop.catalog.reservations.keys().isdisjoint(item["id"] for item in batch)
    # Beyond the age at which a sale at the counter is given up.
    shop.sut.clock.advance(timedelta(minutes=10))
    await shop.resume()
    assert shop.stock(product) == (4, 6)
    assert [item["result"] for item in await till.send(*batch, key=key)] == ["duplicate"] * 3
    # Now it is an answer that stays.
    assert [item["result"] for item in await till.send(*batch, key=key)] == ["duplicate"] * 3


async def test_another_price_than_the_tills_is_recorded_and_not_refused(shop: Any) -> None:
    till, product = Till(shop), shop.product("75.25")
    sales = [
        till.sale(product, total="140.00", payment={"method": "CASH", "tendered": "140.00"}),
        till.sale(product, total="160.00", payment={"method": "CASH", "tendered": "200.00"}),
        till.sale(product, total="150.50"),
    ]
    results = await till.send(*sales)
    assert [item["difference"] for item in results] == ["-10.50", "9.50", "0.00"]
    stored = [await shop.get(sale["id"]) for sale in sales]
    assert [sale["paymentNote"] for sale in stored] == ["till_mismatch", "till_mismatch", None]
    assert [sale["change"] for sale in stored] == ["0.00", "49.50", "0.00"]
    assert [sale["tillTotal"] for sale in stored] == ["140.00", "160.00", "150.50"]


async def test_five_times_in_any_order_with_crashes_counts_once(shop: Any) -> None:
    """The request dies at a random call of the saga each time, and others of it run beside."""
    till, product, chance = Till(shop), shop.product(stock=4), random.Random(5)
    register = await open_drawer(shop)
    batch = [till.sale(product, minutes_ago=0) for _ in range(8)]
    moments = [(method, moment) for method in ("Reserve", "Commit") for moment in ("before", "after")]
    faults = shop.catalog.faults
    for round_ in range(5):
        shuffled = chance.sample(batch, len(batch))
        if round_ == 4:
            results = await asyncio.gather(till.send(*shuffled), till.send(*reversed(shuffled)))
            assert {item["result"] for sent in results for item in sent} <= {"accepted", "duplicate"}
            break
        method, moment = moments[round_]
        for _ in range(chance.randint(0, 2)):
            getattr(faults, moment)(method, _nothing)
        getattr(faults, moment)(method, faults.hang)
        request = asyncio.create_task(till.send(*shuffled))
        await asyncio.wait_for(faults.reached.wait(), 5)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        faults.clear()
        if round_ % 2:
            await shop.resume()
    assert shop.catalog.sold[str(product)] == 16
    completed = [sale for sale in await shop.sales() if sale["status"] == "COMPLETED"]
    assert {sale["id"] for sale in completed} == {sale["id"] for sale in batch}
    assert [await shop.events(sale["id"]) for sale in batch] == [["sale.completed"]] * 8
    session = await drawer(shop, register)
    assert session["expectedCash"] == f"{100 + 8 * 150.50:.2f}"
    device = await till.device()
    assert (device["sales"], device["missing"], device["repeated"]) == (8, 0, 0)


async def test_a_till_is_asked_for_what_is_missing(shop: Any) -> None:
    till, product = Till(shop), shop.product()
    register = await open_drawer(shop)
    one, two, three, four = (till.sale(product, minutes_ago=0) for _ in range(4))
    await till.send(four, one, lastSequence=6)
    device = await till.device()
    assert (device["highestSequence"], device["missing"], device["sales"]) == (6, 4, 2)
    assert device["gaps"] == [{"first": 2, "last": 3}, {"first": 5, "last": 6}]
    shop.sut.clock.advance(timedelta(seconds=1))
    closed = await close(shop, register, "401.00")
    assert closed["exceptions"] == [
        {"code": "MISSING_SALES", "amount": None, "tolerance": None, "count": 4, "till": "caja-1"}
    ]
    # They come after the closing: the count stays, the late cash is told apart.
    results = await till.send(two, three, three)
    assert told(results) == [("accepted", None), ("accepted", None), ("duplicate", None)]
    session = await drawer(shop, register)
    assert {item["cashSessionId"] for item in results} == {session["id"]}
    assert (session["expectedCash"], session["difference"], session["lateCash"]) == ("401.00", "0.00", "301.00")
    assert session["needsApproval"] is True
    assert (await till.device())["gaps"] == [{"first": 5, "last": 6}]
    # A till that counts anew loses nothing.
    assert told(await till.send(till.sale(product, sequence=2))) == [("accepted", None)]
    assert (await till.device())["repeated"] == 1


async def test_an_employee_sends_for_their_branch_alone(shop: Any) -> None:
    other = shop.sut.directory.open_branch(shop.business.id)
    clerk = make_principal(works_at=[(shop.business.id, [other.id])])
    till, product = Till(shop), shop.product()
    here, there = till.sale(product, branchId=str(shop.branch.id)), till.sale(product)
    assert told(await till.send(here, there, caller=clerk)) == [("rejected", "branch_forbidden"), ("accepted", None)]
    assert (await shop.get(there["id"]))["branchId"] == str(other.id)
    refused = await till.post([there], caller=clerk, branchId=str(shop.branch.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "branch_forbidden")
    # A sale of another branch is not theirs to ask after either.
    await till.send(here)
    assert told(await till.send(here, caller=clerk)) == [("rejected", "branch_forbidden")]


async def test_a_catalogue_that_refuses_by_rule_is_believed(shop: Any) -> None:
    till, product = Till(shop), shop.product()
    refusal = RuleViolation("The branch is gone", code="branch_unknown")
    shop.catalog.faults.before("Reserve", shop.catalog.faults.failing(refusal))
    assert told(await till.send(till.sale(product))) == [("rejected", "branch_unknown")]


async def open_drawer(shop: Any) -> str:
    headers = shop.sut.as_(shop.owner)
    body = {"businessId": str(shop.business.id), "branchId": str(shop.branch.id), "name": "Caja 1"}
    register = (await shop.sut.client.post("/api/v1/cash-registers", json=body, headers=headers)).json()["data"]
    path = f"/api/v1/cash-registers/{register['id']}"
    opened = await shop.sut.client.post(f"{path}/open", json={"openingCash": "100"}, headers=headers)
    assert opened.status_code == 201, opened.text
    return path


async def close(shop: Any, path: str, counted: str) -> dict[str, Any]:
    answer = await shop.sut.client.post(
        f"{path}/close", json={"closingCash": counted}, headers=shop.sut.as_(shop.owner)
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def drawer(shop: Any, path: str) -> dict[str, Any]:
    answer = await shop.sut.client.get(f"{path}/sessions", headers=shop.sut.as_(shop.owner))
    session: dict[str, Any] = answer.json()["data"][0]
    return session


async def _nothing() -> None:
    """Lets one call through before the one that hangs."""
