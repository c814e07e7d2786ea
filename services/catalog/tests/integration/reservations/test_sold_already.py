"""Reserve for goods that left while a till was offline: nothing is refused for want of stock, at the prices of then."""

import asyncio
from datetime import timedelta

import pytest
from kernel import Conflict, InvalidInput, NotFound, new_id

pytestmark = pytest.mark.integration


def milliseconds(moment) -> int:
    return int(moment.timestamp() * 1000)


async def test_what_is_missing_is_entered_first(shop) -> None:
    few, never, plenty = [(await shop.product(stock=stock))["id"] for stock in (2, 0, 9)]
    sale = new_id()

    held = await shop.reserve({few: 5, never: 1, plenty: 3}, sale=sale, already_sold=True)
    await shop.commit(sale)

    assert held.status == "RESERVED"
    assert [await shop.level(product) for product in (few, never, plenty)] == [(0, 0), (0, 0), (6, 0)]
    entered = await shop.movements(few, type="ADJUSTMENT")
    assert [(it["change"], str(sale) in it["reason"]) for it in entered] == [(3, True)]
    assert await shop.movements(plenty, type="ADJUSTMENT") == []
    await shop.assert_books_balance()


async def test_sent_again_it_enters_nothing_more(shop) -> None:
    product, sale = (await shop.product())["id"], new_id()

    await asyncio.gather(*(shop.reserve({product: 2}, sale=sale, already_sold=True) for _ in range(5)))

    assert await shop.level(product) == (2, 2)
    assert len(await shop.movements(product)) == 1
    with pytest.raises(Conflict):
        await shop.reserve({product: 3}, sale=sale, already_sold=True)


async def test_reserved_goods_of_others_stay_theirs(shop) -> None:
    product, online = (await shop.product(stock=3))["id"], new_id()
    await shop.reserve({product: 3}, sale=online)

    await shop.reserve({product: 2}, already_sold=True)
    await shop.commit(online)

    assert await shop.level(product) == (2, 2)
    await shop.assert_books_balance()


async def test_a_hold_that_ran_out_is_covered_when_it_is_revived(shop) -> None:
    product, sale = (await shop.product(stock=1))["id"], new_id()
    await shop.reserve({product: 1}, sale=sale)
    await shop.release(sale)
    await shop.sold({product: 1})

    await shop.reserve({product: 1}, sale=sale, revive=True, already_sold=True)
    await shop.commit(sale)

    assert await shop.level(product) == (0, 0)
    await shop.assert_books_balance()


async def test_the_prices_names_and_rates_of_that_moment(shop) -> None:
    clock = shop.sut.clock
    product = await shop.product(name="Café", sku="C-1", price="10.00", taxRate="0.16", stock=99)
    first = clock.now()
    clock.advance(timedelta(hours=1))
    await shop.request("PATCH", f"/{product['id']}", json={"price": "12.50", "taxRate": "0.08", "name": "Café chico"})
    second = clock.now()
    clock.advance(timedelta(hours=1))
    await shop.request("PATCH", f"/{product['id']}", json={"price": "20.00"})
    await shop.request("PATCH", f"/{product['id']}", json={"minStock": 4})

    async def priced(moment) -> tuple[str, int, str]:
        at = milliseconds(moment) if moment else 0
        (line,) = (await shop.reserve({product["id"]: 1}, priced_at_ms=at)).lines
        return line.name, line.unit_price_minor, line.tax_rate

    assert await priced(first - timedelta(days=1)) == ("Café", 1000, "0.16")
    assert await priced(first + timedelta(minutes=59)) == ("Café", 1000, "0.16")
    assert await priced(second) == ("Café chico", 1250, "0.08")
    assert await priced(None) == await priced(clock.now()) == ("Café chico", 2000, "0.08")
    for wrong in (-5, 2**62):
        with pytest.raises(InvalidInput):
            await shop.reserve({product["id"]: 1}, priced_at_ms=wrong)


async def test_goods_no_longer_for_sale_were_sold_all_the_same(shop, other_shop) -> None:
    product = (await shop.product(stock=1))["id"]
    await shop.request("DELETE", f"/{product}")
    past = milliseconds(shop.sut.clock.now())

    with pytest.raises(NotFound):
        await shop.reserve({product: 1}, priced_at_ms=past)
    with pytest.raises(NotFound):
        await other_shop.reserve({product: 1}, already_sold=True)
    assert (await shop.reserve({product: 1}, already_sold=True, priced_at_ms=past)).status == "RESERVED"


async def test_another_business_cannot_take_a_sales_id(shop, other_shop) -> None:
    product, other, sale = (await shop.product(stock=1))["id"], (await other_shop.product())["id"], new_id()
    await shop.reserve({product: 1}, sale=sale)

    with pytest.raises(Conflict):
        await other_shop.reserve({other: 1}, sale=sale, already_sold=True)

    assert await other_shop.movements(other) == []
