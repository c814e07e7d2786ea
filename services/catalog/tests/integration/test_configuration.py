"""Stock below zero, where the business allows it."""

import asyncio
from collections import Counter

import pytest
from chassis.testing.tokens import make_principal
from kernel import CobroError, RuleViolation, new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration


async def configure(shop, allowed, *, by=None):
    path = f"/api/v1/catalog-settings/{shop.business.id}"
    headers = shop.sut.as_(by or shop.owner)
    return await shop.sut.client.put(path, headers=headers, json={"allowNegativeStock": allowed})


async def read(shop, *, by=None):
    return await shop.sut.client.get(
        f"/api/v1/catalog-settings/{shop.business.id}", headers=shop.sut.as_(by or shop.owner)
    )


async def test_a_business_that_allows_it_sells_what_it_does_not_have(shop) -> None:
    had, never = (await shop.product(stock=1))["id"], (await shop.product())["id"]
    with pytest.raises(RuleViolation):
        await shop.reserve({had: 3, never: 1})

    assert (await read(shop)).json()["data"]["allowNegativeStock"] is False
    assert (await configure(shop, True)).status_code == 200
    assert (await read(shop, by=shop.employee())).json()["data"]["allowNegativeStock"] is True
    sale = await shop.sold({had: 3, never: 1})
    await shop.sold({had: 1})
    unseen = (await shop.product())["id"]
    assert (await shop.move(unseen, type="OUT", quantity=4)).status_code == 201

    assert [await shop.level(product) for product in (had, never, unseen)] == [(-3, 0), (-1, 0), (-4, 0)]
    await shop.give_back(sale, {had: 2})
    assert await shop.level(had) == (-1, 0)
    await shop.assert_books_balance()


async def test_it_is_forbidden_again_once_nothing_is_below_zero(shop, other_shop) -> None:
    await configure(shop, True)
    product = (await shop.product(stock=1))["id"]
    await shop.sold({product: 2})

    refused = await configure(shop, False)
    assert (refused.status_code, refused.json()["code"]) == (422, "stock_is_negative")
    assert (await read(shop)).json()["data"]["allowNegativeStock"] is True
    await shop.move(product, type="IN", quantity=1)
    gone = (await shop.product())["id"]
    await shop.sold({gone: 1})
    await shop.request("DELETE", f"/{gone}")
    assert (await configure(shop, False)).status_code == 200

    with pytest.raises(RuleViolation):
        await shop.reserve({product: 1})
    fresh = (await shop.product())["id"]
    assert (await shop.move(fresh, type="OUT", quantity=1)).json()["code"] == "insufficient_stock"
    assert (await read(other_shop)).json()["data"]["allowNegativeStock"] is False
    async with shop.sut.kit.database.transaction() as unit:
        with pytest.raises(DBAPIError, match="covers_reserved"):
            await unit.session.execute(
                text("UPDATE stock_levels SET on_hand = -1 WHERE product_id = :product"), {"product": product}
            )


async def test_levels_opened_meanwhile_agree_with_the_setting(shop) -> None:
    products = [(await shop.product())["id"] for _ in range(12)]

    async def receive(product) -> None:
        assert (await shop.move(product, type="IN", quantity=1)).status_code == 201

    await asyncio.gather(configure(shop, True), *map(receive, products))

    async def sell(product) -> str:
        try:
            return (await shop.reserve({product: 5})).status
        except CobroError as error:
            return error.code

    assert Counter(await asyncio.gather(*map(sell, products))) == {"RESERVED": 12}
    await shop.assert_books_balance()


async def test_only_the_owner_may_decide(shop) -> None:
    stranger = make_principal(owns=[new_id()])
    assert (await configure(shop, True, by=shop.employee())).status_code == 403
    assert [(await configure(shop, True, by=stranger)).status_code, (await read(shop, by=stranger)).status_code] == [
        404,
        404,
    ]
    assert [(await configure(shop, wrong)).status_code for wrong in ("yes", 1, None, {})] == [400] * 4
