from datetime import timedelta

import pytest
from catalog.reservations import service
from contracts.catalog.v1 import inventory_pb2
from contracts.events.catalog import StockChanged, StockLow
from kernel import CobroError, Conflict, InvalidInput, NotFound, RuleViolation, new_id

pytestmark = pytest.mark.integration


async def refused(attempt, kind: type[CobroError], code: str) -> CobroError:
    with pytest.raises(kind) as caught:
        await attempt
    assert caught.value.code == code
    return caught.value


async def events(shop, kind) -> list:
    return [event for event in await shop.sut.published(kind) if event.business_id == shop.business.id]


async def test_goods_are_priced_and_held(shop) -> None:
    coffee = await shop.product(name="Café", sku="C-1", price="89.50", stock=10)
    bread = await shop.product(name="Pan", price="12", taxRate="0", stock=4)
    sale = new_id()

    held = await shop.reserve({coffee["id"]: 2, bread["id"]: 4}, sale=sale)

    assert (held.sale_id, held.status) == (str(sale), "RESERVED")
    by_product = {line.product_id: line for line in held.lines}
    assert by_product[coffee["id"]] == inventory_pb2.PricedLine(
        product_id=coffee["id"],
        name="Café",
        sku="C-1",
        quantity=2,
        unit_price_minor=8950,
        currency="MXN",
        tax_rate="0.16",
    )
    assert (by_product[bread["id"]].unit_price_minor, by_product[bread["id"]].tax_rate) == (1200, "0")
    assert await shop.level(coffee["id"]) == (10, 2)
    assert await shop.level(bread["id"]) == (4, 4)
    read = await shop.request("GET", f"/{coffee['id']}")
    assert read.json()["data"]["stock"] == 8
    await shop.assert_books_balance()


async def test_chilean_prices_are_whole_pesos(chilean_shop) -> None:
    product = await chilean_shop.product(price="990", stock=1)

    held = await chilean_shop.reserve({product["id"]: 1})

    assert (held.lines[0].unit_price_minor, held.lines[0].currency) == (990, "CLP")


async def test_lines_of_one_product_are_added_up(shop) -> None:
    product = await shop.product(stock=5)

    held = await shop.reserve([(product["id"], 2), (product["id"], 3)])
    error = await refused(shop.reserve([(product["id"], 1), (product["id"], 1)]), RuleViolation, "insufficient_stock")

    assert [(line.product_id, line.quantity) for line in held.lines] == [(product["id"], 5)]
    assert error.metadata["products"] == f"{product['id']}:0"


async def test_all_lines_or_none(shop) -> None:
    plenty = await shop.product(stock=10)
    few = await shop.product(stock=1)
    none = await shop.product()

    error = await refused(
        shop.reserve({plenty["id"]: 1, few["id"]: 2, none["id"]: 1}), RuleViolation, "insufficient_stock"
    )

    assert set(error.metadata["products"].split(",")) == {f"{few['id']}:1", f"{none['id']}:0"}
    assert await shop.level(plenty["id"]) == (10, 0)
    await shop.assert_books_balance()


async def test_what_is_not_for_sale_is_not_found(shop, other_shop) -> None:
    living = await shop.product(stock=5)
    deleted = await shop.product(stock=5)
    await shop.request("DELETE", f"/{deleted['id']}")
    inactive = await shop.product(stock=5, isActive=False)
    foreign = await other_shop.product(stock=5)

    for unsold in (deleted["id"], inactive["id"], foreign["id"], str(new_id())):
        error = await refused(shop.reserve({living["id"]: 1, unsold: 1}), NotFound, "product_not_found")
        assert error.metadata["products"] == unsold
    assert await shop.level(living["id"]) == (5, 0)


async def test_another_businesss_branch_has_no_goods(shop, other_shop) -> None:
    product = await shop.product(stock=5)

    await refused(
        shop.reserve({product["id"]: 1}, branch_id=str(other_shop.branch.id)), RuleViolation, "insufficient_stock"
    )


async def test_reserving_again_changes_nothing(shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    first = await shop.reserve({product["id"]: 5}, sale=sale)
    await shop.request("PATCH", f"/{product['id']}", json={"price": "1000", "isActive": False})

    assert await shop.reserve({product["id"]: 5}, sale=sale) == first
    assert await shop.reserve([(product["id"], 2), (product["id"], 3)], sale=sale) == first
    assert await shop.level(product["id"]) == (5, 5)
    await shop.assert_books_balance()


async def test_a_sale_reserves_one_set_of_goods(shop, other_shop) -> None:
    product = await shop.product(stock=5)
    foreign = await other_shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 1}, sale=sale)
    second = shop.sut.directory.open_branch(shop.business.id)

    await refused(shop.reserve({product["id"]: 2}, sale=sale), Conflict, "reservation_mismatch")
    await refused(
        shop.reserve({product["id"]: 1}, sale=sale, branch_id=str(second.id)), Conflict, "reservation_mismatch"
    )
    await refused(other_shop.reserve({foreign["id"]: 1}, sale=sale), Conflict, "reservation_mismatch")
    assert await shop.level(product["id"]) == (5, 1)


async def test_committed_goods_are_sold(shop) -> None:
    coffee = await shop.product(name="Café", stock=10, minStock=8)
    bread = await shop.product(name="Pan", stock=4)
    sale = new_id()
    held = await shop.reserve({coffee["id"]: 2, bread["id"]: 1}, sale=sale)

    sold = await shop.commit(sale)
    again = await shop.commit(sale)

    assert sold.status == "COMMITTED"
    assert sold == again
    assert list(sold.lines) == list(held.lines)
    assert await shop.level(coffee["id"]) == (8, 0)
    assert await shop.level(bread["id"]) == (3, 0)
    history = (await shop.request("GET", f"/{coffee['id']}/stock-movements")).json()["data"]
    assert [(it["type"], it["change"], it["onHand"], it["saleId"]) for it in history] == [
        ("SALE", -2, 8, str(sale)),
        ("IN", 10, 10, None),
    ]
    changed = [event for event in await events(shop, StockChanged) if event.sale_id == sale]
    assert {(str(it.product_id), it.change, it.on_hand, it.reserved, it.movement_type) for it in changed} == {
        (coffee["id"], -2, 8, 0, "SALE"),
        (bread["id"], -1, 3, 0, "SALE"),
    }
    assert [(it.product_name, it.on_hand) for it in await events(shop, StockLow)] == [("Café", 8)]
    assert (await shop.reserve({coffee["id"]: 2, bread["id"]: 1}, sale=sale)).status == "COMMITTED"
    await refused(shop.release(sale), RuleViolation, "reservation_committed")
    await shop.assert_books_balance()


async def test_what_was_deleted_meanwhile_is_still_sold(shop) -> None:
    product = await shop.product(stock=2)
    sale = new_id()
    await shop.reserve({product["id"]: 2}, sale=sale)
    await shop.request("DELETE", f"/{product['id']}")

    assert (await shop.commit(sale)).status == "COMMITTED"
    await shop.assert_books_balance()


async def test_released_goods_are_back(shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 5}, sale=sale)

    released = await shop.release(sale)
    again = await shop.release(sale, reason="again")

    assert released.status == again.status == "RELEASED"
    assert await shop.level(product["id"]) == (5, 0)
    await refused(shop.commit(sale), RuleViolation, "reservation_released")
    await refused(shop.reserve({product["id"]: 5}, sale=sale), RuleViolation, "reservation_released")
    await shop.assert_books_balance()


async def test_a_release_that_comes_first_refuses_the_late_reserve(shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()

    assert (await shop.release(sale)).status == "RELEASED"
    assert (await shop.release(sale)).status == "RELEASED"
    await refused(shop.reserve({product["id"]: 1}, sale=sale), RuleViolation, "reservation_released")
    await refused(shop.reserve({product["id"]: 1}, sale=sale, revive=True), RuleViolation, "reservation_released")
    await refused(shop.commit(sale), RuleViolation, "reservation_released")
    assert await shop.level(product["id"]) == (5, 0)


async def test_another_business_can_neither_sell_nor_release(shop, other_shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 1}, sale=sale)

    await refused(other_shop.commit(sale), NotFound, "reservation_not_found")
    await refused(other_shop.release(sale), NotFound, "reservation_not_found")
    await refused(shop.commit(new_id()), NotFound, "reservation_not_found")
    assert await shop.level(product["id"]) == (5, 1)


async def test_expired_goods_return_by_themselves(shop) -> None:
    first = await shop.product(stock=5)
    second = await shop.product(stock=5)
    expiring, lasting = new_id(), new_id()
    await shop.reserve({first["id"]: 2, second["id"]: 1}, sale=expiring, within=timedelta(minutes=1))
    await shop.reserve({first["id"]: 1}, sale=new_id(), within=timedelta(minutes=1))
    await shop.reserve({first["id"]: 1}, sale=lasting, within=timedelta(hours=1))
    shop.sut.clock.advance(timedelta(minutes=2))

    released = await service.release_expired(shop.sut.context)

    assert released >= 2
    assert await shop.level(first["id"]) == (5, 1)
    assert await shop.level(second["id"]) == (5, 0)
    await refused(shop.commit(expiring), RuleViolation, "reservation_released")
    assert (await shop.commit(lasting)).status == "COMMITTED"
    await shop.assert_books_balance()


async def test_expired_goods_count_as_released_before_they_are_back(shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 2}, sale=sale, within=timedelta(minutes=1))
    shop.sut.clock.advance(timedelta(minutes=1))

    await refused(shop.commit(sale), RuleViolation, "reservation_released")
    await refused(shop.reserve({product["id"]: 2}, sale=sale), RuleViolation, "reservation_released")
    assert (await shop.release(sale)).status == "RELEASED"
    assert await shop.level(product["id"]) == (5, 0)
    await shop.assert_books_balance()


async def test_reserving_again_holds_for_longer_and_never_for_less(shop) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    for minutes in (10, 20, 1):
        await shop.reserve({product["id"]: 2}, sale=sale, within=timedelta(minutes=minutes))
    shop.sut.clock.advance(timedelta(minutes=15))

    assert (await shop.commit(sale)).status == "COMMITTED"


async def test_released_goods_are_held_again_at_the_old_price(shop) -> None:
    product = await shop.product(price="10", stock=5)
    sale = new_id()
    first = await shop.reserve({product["id"]: 2}, sale=sale)
    await shop.release(sale)
    await shop.request("PATCH", f"/{product['id']}", json={"price": "20", "isActive": False})

    revived = await shop.reserve({product["id"]: 2}, sale=sale, revive=True)

    assert revived == first
    assert await shop.level(product["id"]) == (5, 2)
    assert (await shop.commit(sale)).status == "COMMITTED"
    assert await shop.level(product["id"]) == (3, 0)
    await shop.assert_books_balance()


async def test_reviving_needs_the_goods_to_be_there(shop) -> None:
    product = await shop.product(stock=5)
    other = await shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 3, other["id"]: 1}, sale=sale)
    await shop.release(sale)
    await shop.reserve({product["id"]: 4})

    error = await refused(
        shop.reserve({product["id"]: 3, other["id"]: 1}, sale=sale, revive=True),
        RuleViolation,
        "insufficient_stock",
    )

    assert error.metadata["products"] == f"{product['id']}:1"
    assert await shop.level(other["id"]) == (5, 0)
    await shop.assert_books_balance()


@pytest.mark.parametrize("swept", [True, False])
async def test_expired_goods_can_be_revived(shop, swept) -> None:
    product = await shop.product(stock=2)
    sale = new_id()
    await shop.reserve({product["id"]: 2}, sale=sale, within=timedelta(minutes=1))
    shop.sut.clock.advance(timedelta(minutes=2))
    if swept:
        await service.release_expired(shop.sut.context)

    assert (await shop.reserve({product["id"]: 2}, sale=sale, revive=True)).status == "RESERVED"
    await service.release_expired(shop.sut.context)
    assert await shop.level(product["id"]) == (2, 2)
    assert (await shop.commit(sale)).status == "COMMITTED"
    await shop.assert_books_balance()


async def test_reviving_what_was_never_released_is_reserving(shop) -> None:
    product = await shop.product(stock=2)
    sale = new_id()

    first = await shop.reserve({product["id"]: 2}, sale=sale, revive=True)
    again = await shop.reserve({product["id"]: 2}, sale=sale, revive=True)

    assert first == again
    assert await shop.level(product["id"]) == (2, 2)


async def test_a_reserve_that_arrives_too_late_holds_nothing(shop) -> None:
    product = await shop.product(stock=2)
    sale = new_id()

    await refused(
        shop.reserve({product["id"]: 1}, sale=sale, within=timedelta(0)), RuleViolation, "reservation_released"
    )
    await shop.reserve({product["id"]: 1}, sale=sale)
    await shop.commit(sale)
    late = await shop.reserve({product["id"]: 1}, sale=sale, within=timedelta(minutes=-5))

    assert late.status == "COMMITTED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sale_id": ""}, "sale_id"),
        ({"business_id": "x"}, "business_id"),
        ({"branch_id": "'; --"}, "branch_id"),
        ({"lines": []}, "lines"),
        ({"lines": [inventory_pb2.ReserveLine(product_id="x", quantity=1)]}, "product_id"),
        ({"lines": [inventory_pb2.ReserveLine(product_id=str(new_id()), quantity=0)]}, "lines"),
        ({"lines": [inventory_pb2.ReserveLine(product_id=str(new_id()), quantity=-3)]}, "lines"),
        ({"lines": [inventory_pb2.ReserveLine(product_id=str(new_id()), quantity=1)] * 501}, "lines"),
        ({"lines": [inventory_pb2.ReserveLine(product_id="0" * 32, quantity=2**31 - 1)] * 2}, "lines"),
        ({"expires_at_ms": 0}, "expires_at_ms"),
        ({"expires_at_ms": -1}, "expires_at_ms"),
        ({"expires_at_ms": 2**63 - 1}, "expires_at_ms"),
    ],
)
async def test_bad_requests_are_named(shop, changes, field) -> None:
    product = await shop.product(stock=2)

    error = await refused(shop.reserve({product["id"]: 1}, **changes), InvalidInput, "validation_failed")

    assert list(error.metadata) == [field]


async def test_a_reason_that_cannot_be_stored_is_cleaned(shop) -> None:
    assert (await shop.release(new_id(), reason="a\x00b" + "x" * 10_000)).status == "RELEASED"
