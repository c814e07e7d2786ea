import asyncio
from datetime import timedelta

import pytest
from contracts.events.catalog import StockChanged, StockLow
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_goods_come_go_and_are_counted(shop) -> None:
    product = await shop.product()

    await shop.move(product["id"], type="IN", quantity=10, reason="Compra")
    await shop.move(product["id"], type="OUT", quantity=3, reason="Merma")
    await shop.move(product["id"], type="ADJUSTMENT", quantity=-2)
    last = await shop.move(product["id"], type="ADJUSTMENT", quantity=1)

    assert await shop.level(product["id"]) == (6, 0)
    assert last.status_code == 201
    history = (await shop.request("GET", f"/{product['id']}/stock-movements")).json()
    assert history["data"][0] == last.json()["data"]
    assert [(it["type"], it["quantity"], it["change"], it["onHand"]) for it in history["data"]] == [
        ("ADJUSTMENT", 1, 1, 6),
        ("ADJUSTMENT", -2, -2, 5),
        ("OUT", 3, -3, 7),
        ("IN", 10, 10, 10),
    ]
    assert history["data"][3]["reason"] == "Compra"
    assert history["data"][3]["createdBy"] == str(shop.owner.user_id)
    changed = [event for event in await shop.sut.published(StockChanged) if event.business_id == shop.business.id]
    assert [(event.aggregate_version, event.change, event.on_hand, event.movement_type) for event in changed] == [
        (1, 10, 10, "IN"),
        (2, -3, 7, "OUT"),
        (3, -2, 5, "ADJUSTMENT"),
        (4, 1, 6, "ADJUSTMENT"),
    ]
    await shop.assert_books_balance()


async def test_a_transfer_is_two_movements_of_one(shop) -> None:
    product = await shop.product(stock=10)
    second = shop.sut.directory.open_branch(shop.business.id)

    answer = await shop.move(product["id"], type="TRANSFER", quantity=4, toBranchId=str(second.id))

    left = answer.json()["data"]
    assert (left["branchId"], left["toBranchId"], left["change"]) == (str(shop.branch.id), str(second.id), -4)
    assert await shop.level(product["id"]) == (6, 0)
    assert await shop.level(product["id"], second.id) == (4, 0)
    arrived = (
        await shop.request("GET", f"/{product['id']}/stock-movements", params={"branchId": str(second.id)})
    ).json()["data"]
    assert [(it["fromBranchId"], it["change"], it["transferId"]) for it in arrived] == [
        (str(shop.branch.id), 4, left["transferId"])
    ]
    read = await shop.request("GET", f"/{product['id']}")
    assert read.json()["data"]["stock"] == 10
    await shop.assert_books_balance()


async def test_movements_are_filtered_by_type(shop) -> None:
    product = await shop.product(stock=10)
    await shop.move(product["id"], type="OUT", quantity=1)

    answer = await shop.request("GET", f"/{product['id']}/stock-movements", params={"type": "OUT"})

    assert [it["type"] for it in answer.json()["data"]] == ["OUT"]
    assert answer.json()["meta"]["total"] == 1


@pytest.mark.parametrize(
    "movement",
    [{"type": "OUT", "quantity": 4}, {"type": "ADJUSTMENT", "quantity": -4}, {"type": "TRANSFER", "quantity": 4}],
)
async def test_no_more_goes_than_is_available(shop, movement) -> None:
    product = await shop.product(stock=5)
    await shop.reserve({product["id"]: 2})
    if movement["type"] == "TRANSFER":
        movement = {**movement, "toBranchId": str(shop.sut.directory.open_branch(shop.business.id).id)}

    answer = await shop.move(product["id"], **movement)

    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_stock")
    assert await shop.level(product["id"]) == (5, 2)
    await shop.assert_books_balance()


async def test_nothing_goes_from_where_nothing_ever_was(shop) -> None:
    product = await shop.product()

    answer = await shop.move(product["id"], type="OUT", quantity=1)

    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_stock")


@pytest.mark.parametrize(
    ("movement", "field"),
    [
        ({"type": "IN", "quantity": 0}, "quantity"),
        ({"type": "IN", "quantity": -1}, "quantity"),
        ({"type": "OUT", "quantity": -1}, "quantity"),
        ({"type": "ADJUSTMENT", "quantity": 0}, "quantity"),
        ({"type": "IN", "quantity": 10**9}, "quantity"),
        ({"type": "IN", "quantity": "3"}, "quantity"),
        ({"type": "IN", "quantity": 1.5}, "quantity"),
        ({"type": "SALE", "quantity": 1}, "type"),
        ({"type": "TRANSFER", "quantity": 1}, "toBranchId"),
        ({"type": "TRANSFER", "quantity": 1, "toBranchId": "same"}, "toBranchId"),
        ({"type": "IN", "quantity": 1, "toBranchId": "same"}, "toBranchId"),
        ({"type": "IN", "quantity": 1, "branchId": "x"}, "branchId"),
        ({"type": "IN", "quantity": 1, "reason": "a\x00"}, "reason"),
        ({"type": "IN", "quantity": 1, "saleId": "x"}, "saleId"),
    ],
)
async def test_bad_movements_are_named(shop, movement, field) -> None:
    product = await shop.product(stock=5)
    if movement.get("toBranchId") == "same":
        movement = {**movement, "toBranchId": str(shop.branch.id)}

    answer = await shop.move(product["id"], **movement)

    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_branch_of_another_business_is_none(shop, other_shop) -> None:
    product = await shop.product(stock=5)

    into = await shop.move(product["id"], type="IN", quantity=1, branchId=str(other_shop.branch.id))
    across = await shop.move(product["id"], type="TRANSFER", quantity=1, toBranchId=str(other_shop.branch.id))
    missing = await shop.move(product["id"], type="IN", quantity=1, branchId=str(new_id()))

    assert {answer.status_code for answer in (into, across, missing)} == {404}
    assert {answer.json()["code"] for answer in (into, across, missing)} == {"branch_not_found"}
    assert await shop.level(product["id"]) == (5, 0)


async def test_the_same_key_moves_once(shop, key) -> None:
    product = await shop.product()

    answers = [await shop.move(product["id"], key=key, type="IN", quantity=5) for _ in range(3)]

    assert len({answer.content for answer in answers}) == 1
    assert await shop.level(product["id"]) == (5, 0)


async def test_of_many_who_take_the_last_units_only_as_many_succeed(shop) -> None:
    product = await shop.product(stock=5)

    answers = await asyncio.gather(*(shop.move(product["id"], type="OUT", quantity=1) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [422] * 15
    assert await shop.level(product["id"]) == (0, 0)
    await shop.assert_books_balance()


async def test_transfers_in_both_directions_do_not_wait_for_each_other(shop) -> None:
    product = await shop.product(stock=50)
    second = shop.sut.directory.open_branch(shop.business.id)
    await shop.move(product["id"], type="IN", quantity=50, branchId=str(second.id))

    there = [{"branchId": str(shop.branch.id), "toBranchId": str(second.id)}] * 15
    back = [{"branchId": str(second.id), "toBranchId": str(shop.branch.id)}] * 15
    pairs = [pair for both in zip(there, back, strict=True) for pair in both]
    answers = await asyncio.gather(*(shop.move(product["id"], type="TRANSFER", quantity=1, **pair) for pair in pairs))

    assert {answer.status_code for answer in answers} == {201}
    assert await shop.level(product["id"]) == await shop.level(product["id"], second.id) == (50, 0)
    await shop.assert_books_balance()


async def test_stock_is_low_once_per_crossing(shop) -> None:
    product = await shop.product(stock=10, minStock=4)
    for kind, quantity in (("OUT", 5), ("OUT", 1), ("OUT", 1), ("IN", 1), ("IN", 5), ("OUT", 8)):
        assert (await shop.move(product["id"], type=kind, quantity=quantity)).status_code == 201

    low = [event for event in await shop.sut.published(StockLow) if event.business_id == shop.business.id]
    assert [(event.on_hand, event.min_stock, event.product_name) for event in low] == [
        (4, 4, "Café de olla"),
        (1, 4, "Café de olla"),
    ]


async def test_of_many_at_once_only_one_crosses_the_minimum(shop) -> None:
    product = await shop.product(stock=20, minStock=10)

    await asyncio.gather(*(shop.move(product["id"], type="OUT", quantity=1) for _ in range(20)))

    low = [event for event in await shop.sut.published(StockLow) if event.business_id == shop.business.id]
    assert [event.on_hand for event in low] == [10]


async def test_the_history_of_all_products(shop, other_shop) -> None:
    one, two = await shop.product(stock=3), await shop.product(stock=4)
    await other_shop.product(stock=9)
    shop.sut.clock.advance(timedelta(seconds=1))
    await shop.move(one["id"], type="OUT", quantity=1)
    await shop.request("DELETE", f"/{two['id']}")

    async def history(by, **query) -> list[tuple[str, int]]:
        headers = shop.sut.as_(by)
        answer = await shop.sut.client.get("/api/v1/stock-movements", headers=headers, params=query)
        return [(it["productId"], it["change"]) for it in answer.json()["data"]]

    assert sorted(await history(shop.employee(), type="IN")) == sorted([(one["id"], 3), (two["id"], 4)])
    assert (await history(shop.owner, businessId=str(shop.business.id), branchId=str(shop.branch.id)))[0] == (
        one["id"],
        -1,
    )
    assert len(await history(shop.owner)) == 3
