import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from catalog.reservations import service
from chassis.tenancy import everyone
from contracts.events.catalog import StockChanged, StockLow
from kernel import CobroError, RuleViolation, new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration


async def outcome(attempt) -> str:
    """The status of the reservation, or the code of the refusal."""
    try:
        return (await attempt).status
    except CobroError as error:
        return error.code


async def outcomes(*attempts) -> Counter[str]:
    return Counter(await asyncio.gather(*map(outcome, attempts)))


async def test_three_hundred_sales_of_a_hundred_units_sell_a_hundred(shop) -> None:
    before = await _deadlocks(shop)
    product = await shop.product(stock=100, minStock=5)
    sales = [new_id() for _ in range(300)]

    reserved = await outcomes(*(shop.reserve({product["id"]: 1}, sale=sale) for sale in sales))
    assert reserved == {"RESERVED": 100, "insufficient_stock": 200}
    assert await shop.level(product["id"]) == (100, 100)

    committed = await outcomes(*(shop.commit(sale) for sale in sales))
    assert committed == {"COMMITTED": 100, "reservation_not_found": 200}
    assert await shop.level(product["id"]) == (0, 0)
    changed = [event for event in await shop.sut.published(StockChanged) if event.business_id == shop.business.id]
    assert sorted(event.aggregate_version for event in changed) == list(range(1, 102))
    low = [event for event in await shop.sut.published(StockLow) if event.business_id == shop.business.id]
    assert [event.on_hand for event in low] == [5]
    assert await _deadlocks(shop) == before
    await shop.assert_books_balance()


async def test_opposite_orders_of_lines_do_not_deadlock(shop) -> None:
    before = await _deadlocks(shop)
    products = [(await shop.product(stock=200))["id"] for _ in range(6)]
    sales = [new_id() for _ in range(60)]

    def lines(number: int) -> list[tuple[str, int]]:
        ordered = products if number % 2 else products[::-1]
        return [(product, 1) for product in ordered]

    async def whole_sale(number: int) -> str:
        await shop.reserve(lines(number), sale=sales[number])
        ending = await (shop.release(sales[number]) if number % 3 == 0 else shop.commit(sales[number]))
        return ending.status

    endings = Counter(await asyncio.gather(*(whole_sale(number) for number in range(60))))

    assert endings == {"COMMITTED": 40, "RELEASED": 20}
    assert {await shop.level(product) for product in products} == {(160, 0)}
    assert await _deadlocks(shop) == before
    await shop.assert_books_balance()


async def test_duplicates_at_once_hold_once_and_sell_once(shop) -> None:
    product = await shop.product(stock=2)
    sale = new_id()

    assert await outcomes(*(shop.reserve({product["id"]: 2}, sale=sale) for _ in range(12))) == {"RESERVED": 12}
    assert await shop.level(product["id"]) == (2, 2)
    assert await outcomes(*(shop.commit(sale) for _ in range(12))) == {"COMMITTED": 12}
    assert await shop.level(product["id"]) == (0, 0)
    await shop.assert_books_balance()


async def test_commit_and_release_at_once_agree_on_one(shop) -> None:
    product = await shop.product(stock=100)
    for _ in range(15):
        before, _ = await shop.level(product["id"])
        sale = new_id()
        await shop.reserve({product["id"]: 1}, sale=sale)

        committed, released = await asyncio.gather(
            *map(outcome, (shop.commit(sale), shop.release(sale))), return_exceptions=False
        )

        assert (committed, released) in {
            ("COMMITTED", "reservation_committed"),
            ("reservation_released", "RELEASED"),
        }
        assert await shop.level(product["id"]) == (before - (committed == "COMMITTED"), 0)
    await shop.assert_books_balance()


async def test_reserve_and_release_at_once_leave_nothing_held(shop) -> None:
    product = await shop.product(stock=5)
    for _ in range(15):
        sale = new_id()
        # Twice, because two first ones and a release can wait for each other in a circle.
        *reserved, released = await asyncio.gather(
            *map(outcome, (*(shop.reserve({product["id"]: 5}, sale=sale) for _ in range(2)), shop.release(sale)))
        )

        assert set(reserved) <= {"RESERVED", "reservation_released"}
        assert released == "RELEASED"
        assert await shop.level(product["id"]) == (5, 0)
    await shop.assert_books_balance()


async def test_commit_and_expiry_at_once_agree_on_one(shop) -> None:
    product = await shop.product(stock=60)
    sales = [new_id() for _ in range(30)]
    for sale in sales:
        await shop.reserve({product["id"]: 1}, sale=sale, within=timedelta(minutes=1))
    shop.sut.clock.advance(timedelta(minutes=1))

    revived, *_ = await asyncio.gather(
        outcomes(*(shop.reserve({product["id"]: 1}, sale=sale, revive=True) for sale in sales)),
        *(service.release_expired(shop.sut.context) for _ in range(3)),
    )
    assert revived == {"RESERVED": 30}
    assert await shop.level(product["id"]) == (60, 30)

    assert await outcomes(*(shop.commit(sale) for sale in sales)) == {"COMMITTED": 30}
    assert await shop.level(product["id"]) == (30, 0)
    await shop.assert_books_balance()


async def test_asked_again_while_its_reservation_is_changed_it_locks_no_goods(shop) -> None:
    product, sale = await shop.product(stock=5), new_id()
    await shop.reserve({product["id"]: 1}, sale=sale)
    with everyone():
        async with shop.sut.kit.database.transaction() as unit:
            change = text("UPDATE reservations SET updated_at = now() WHERE sale_id = :sale")
            await unit.session.execute(change, {"sale": sale})
            again = asyncio.create_task(shop.reserve({product["id"]: 1}, sale=sale))
            await asyncio.sleep(0.3)
            assert not again.done(), "it waits for the reservation"
            level = text("SELECT FROM stock_levels WHERE product_id = :product FOR NO KEY UPDATE NOWAIT")
            await unit.session.execute(level, {"product": product["id"]})
    assert (await again).status == "RESERVED"
    assert await shop.level(product["id"]) == (5, 1)


async def test_revived_goods_are_not_promised_twice(shop) -> None:
    product = await shop.product(stock=10)
    released = [new_id() for _ in range(10)]
    for sale in released:
        await shop.reserve({product["id"]: 1}, sale=sale)
        await shop.release(sale)

    found = await outcomes(
        *(shop.reserve({product["id"]: 1}, sale=sale, revive=True) for sale in released),
        *(shop.reserve({product["id"]: 1}) for _ in range(10)),
    )

    assert found == {"RESERVED": 10, "insufficient_stock": 10}
    assert await shop.level(product["id"]) == (10, 10)
    await shop.assert_books_balance()


async def test_reviving_the_same_sale_at_once_holds_once(shop) -> None:
    product = await shop.product(stock=100)
    for _ in range(5):
        sale = new_id()
        await shop.reserve({product["id"]: 2}, sale=sale)
        await shop.release(sale)

        found = await outcomes(*(shop.reserve({product["id"]: 2}, sale=sale, revive=True) for _ in range(8)))

        assert found == {"RESERVED": 8}
        assert await shop.level(product["id"]) == (100, 2)
        await shop.release(sale)
    await shop.assert_books_balance()


async def test_sales_and_corrections_at_once_never_oversell(shop) -> None:
    product = await shop.product(stock=15)

    async def take() -> str:
        answer = await shop.move(product["id"], type="OUT", quantity=1)
        return "OUT" if answer.status_code == 201 else answer.json()["code"]

    found = Counter(
        await asyncio.gather(
            *(take() for _ in range(15)), *(outcome(shop.reserve({product["id"]: 1})) for _ in range(15))
        )
    )

    assert found["OUT"] + found["RESERVED"] == found["insufficient_stock"] == 15
    assert await shop.level(product["id"]) == (15 - found["OUT"], found["RESERVED"])
    await shop.assert_books_balance()


async def test_a_commit_that_dies_before_its_end_leaves_the_goods_held(shop, monkeypatch) -> None:
    product = await shop.product(stock=5)
    sale = new_id()
    await shop.reserve({product["id"]: 2}, sale=sale)

    def die(*_: object, **__: object) -> None:
        raise RuleViolation("killed", code="killed")

    with monkeypatch.context() as patch:
        patch.setattr(service, "events_of", die)
        assert await outcome(shop.commit(sale)) == "killed"
    assert await shop.level(product["id"]) == (5, 2)
    assert await outcome(shop.commit(sale)) == "COMMITTED"
    await shop.assert_books_balance()


async def _deadlocks(shop) -> int:
    async with shop.sut.kit.database.read() as session:
        await session.execute(text("SELECT pg_stat_clear_snapshot()"))
        statement = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int((await session.execute(statement)).scalar_one())
