"""Goods of a sale come back: Inventory.Return."""

import asyncio
from collections import Counter

import pytest
from contracts.events.catalog import StockChanged
from kernel import CobroError, Conflict, InvalidInput, RuleViolation, new_id

pytestmark = pytest.mark.integration


async def outcome(attempt) -> str:
    try:
        await attempt
    except CobroError as error:
        return error.code
    return "returned"


async def test_what_comes_back_lies_where_it_was_sold_and_says_so(shop) -> None:
    coffee, bread = (await shop.product(stock=10))["id"], (await shop.product(stock=10))["id"]
    sale = await shop.sold({coffee: 4, bread: 1})

    await shop.give_back(sale, {coffee: 3})
    await shop.give_back(sale, {coffee: 1, bread: 1})

    assert [await shop.level(product) for product in (coffee, bread)] == [(10, 0), (10, 0)]
    back = await shop.movements(coffee, type="RETURN")
    assert [(it["quantity"], it["saleId"], it["onHand"]) for it in back] == [(1, str(sale), 10), (3, str(sale), 9)]
    events = [event for event in await shop.sut.published(StockChanged) if event.movement_type == "RETURN"]
    mine = [(event.change, event.on_hand, event.sale_id) for event in events if str(event.product_id) == coffee]
    assert mine == [(3, 9, sale), (1, 10, sale)]
    await shop.assert_books_balance()


async def test_the_same_return_counts_once_and_means_one_thing(shop) -> None:
    product, other = (await shop.product(stock=5))["id"], (await shop.product(stock=5))["id"]
    sale, again, later = await shop.sold({product: 3}), new_id(), await shop.sold({other: 1})

    answers = await asyncio.gather(*(outcome(shop.give_back(sale, {product: 2}, id=again)) for _ in range(6)))

    assert Counter(answers) == {"returned": 6}
    assert await shop.level(product) == (4, 0)
    assert await outcome(shop.give_back(sale, {product: 1}, id=again)) == "return_mismatch"
    assert await outcome(shop.give_back(later, {other: 1}, id=again)) == "return_mismatch"
    assert await shop.level(other) == (4, 0)
    await shop.assert_books_balance()


async def test_never_more_than_was_sold_however_many_ask_at_once(shop) -> None:
    product = (await shop.product(stock=10))["id"]
    sale = await shop.sold({product: 5})

    answers = await asyncio.gather(*(outcome(shop.give_back(sale, {product: 2})) for _ in range(8)))

    assert Counter(answers) == {"returned": 2, "return_exceeds_sale": 6}
    assert await shop.level(product) == (9, 0)
    await shop.assert_books_balance()


async def test_only_what_the_sale_took(shop, other_shop) -> None:
    product, other = (await shop.product(stock=3))["id"], (await shop.product(stock=3))["id"]
    sale, held = await shop.sold({product: 1}), new_id()
    await shop.reserve({product: 1}, sale=held)

    assert await outcome(shop.give_back(sale, {other: 1})) == "return_exceeds_sale"
    assert await outcome(shop.give_back(sale, {product: 1, other: 1})) == "return_exceeds_sale"
    for stranger, where in ((held, shop), (new_id(), shop), (sale, other_shop)):
        with pytest.raises(RuleViolation) as refused:
            await where.give_back(stranger, {product: 1})
        assert refused.value.code == "not_sold"
    for wrong in ({"lines": []}, {"return_id": "x"}, {"sale_id": ""}):
        with pytest.raises(InvalidInput):
            await shop.give_back(sale, {product: 1}, **wrong)
    assert await shop.level(product) == (2, 1)
    await shop.assert_books_balance()


async def test_an_id_belongs_to_its_business(shop, other_shop) -> None:
    one, two, same = (await shop.product(stock=1))["id"], (await other_shop.product(stock=1))["id"], new_id()
    await shop.give_back(await shop.sold({one: 1}), {one: 1}, id=same)

    await other_shop.give_back(await other_shop.sold({two: 1}), {two: 1}, id=same)

    assert (await shop.level(one), await other_shop.level(two)) == ((1, 0), (1, 0))


async def test_two_sales_with_one_id_at_the_same_instant(shop) -> None:
    product = (await shop.product(stock=2))["id"]
    sales, same = [await shop.sold({product: 1}) for _ in range(2)], new_id()

    answers = await asyncio.gather(*(outcome(shop.give_back(sale, {product: 1}, id=same)) for sale in sales))

    assert Counter(answers) == {"returned": 1, "return_mismatch": 1}
    with pytest.raises(Conflict):
        await shop.give_back(sales[answers.index("return_mismatch")], {product: 1}, id=same)
    assert await shop.level(product) == (1, 0)
