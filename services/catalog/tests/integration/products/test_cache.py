"""Pages of the catalogue are cached, and are never old."""

import asyncio

import pytest
from chassis.cache import Cache, connect_redis

pytestmark = pytest.mark.integration


async def page(shop, **query) -> list[tuple[str, str, int]]:
    answer = await shop.request("GET", "", params={"businessId": str(shop.business.id), **query})
    assert answer.status_code == 200, answer.text
    return [(it["name"], it["price"], it["stock"]) for it in answer.json()["data"]]


async def kept(shop) -> list[bytes]:
    return [key async for key in shop.sut.kit.cache.redis.scan_iter(f"catalog:page:{shop.business.id}:*")]


async def test_a_page_is_read_once_and_its_stock_always(shop) -> None:
    product = await shop.product(name="Pan", price="5", stock=3)
    first = await shop.request("GET", "", params={"businessId": str(shop.business.id), "q": "pan"})
    keys = await kept(shop)

    again = await shop.request("GET", "", params={"businessId": str(shop.business.id), "q": "pan"})
    assert again.json() == first.json()
    assert await kept(shop) == keys
    assert len(keys) == 1
    assert 0 < await shop.sut.kit.cache.redis.ttl(keys[0]) <= 300
    await shop.reserve({product["id"]: 2})
    assert await page(shop, q="pan") == [("Pan", "5.00", 1)]
    assert await kept(shop) == keys


async def test_every_change_is_seen_at_once(shop) -> None:
    product = await shop.product(name="Pan", price="5")
    assert await page(shop) == [("Pan", "5.00", 0)]
    await shop.request("PATCH", f"/{product['id']}", json={"price": "6"})
    assert await page(shop) == [("Pan", "6.00", 0)]
    await shop.product(name="Té", price="1")
    assert [name for name, _, _ in await page(shop)] == ["Té", "Pan"]
    headers = shop.sut.as_(shop.owner) | {"Content-Type": "text/csv"}
    path = f"/api/v1/products/import?businessId={shop.business.id}"
    await shop.sut.client.post(path, headers=headers, content=f"id,price\n{product['id']},7\n")
    assert [price for _, price, _ in await page(shop)] == ["1.00", "7.00"]
    await shop.request("DELETE", f"/{product['id']}")
    assert [name for name, _, _ in await page(shop)] == ["Té"]


async def test_readers_beside_a_writer_end_with_what_it_wrote(shop) -> None:
    product = await shop.product(price="0")
    for price in range(1, 8):
        changing = shop.request("PATCH", f"/{product['id']}", json={"price": str(price)})
        await asyncio.gather(changing, *(page(shop) for _ in range(4)))
        assert [found for _, found, _ in await page(shop)] == [f"{price}.00"]


async def test_another_business_does_not_see_it(shop, other_shop) -> None:
    await shop.product(name="Pan")
    await page(shop)
    assert (await other_shop.request("GET", "", params={"businessId": str(shop.business.id)})).status_code == 404
    assert await page(other_shop) == []


async def test_without_redis_it_is_slower_and_right(shop, monkeypatch) -> None:
    await shop.product(name="Pan", price="5")
    await page(shop)
    nowhere = Cache(connect_redis("redis://127.0.0.1:1"), "catalog")
    with monkeypatch.context() as patch:
        patch.setattr(shop.sut.context.cache, "redis", nowhere.redis)
        assert await page(shop) == [("Pan", "5.00", 0)]
    await nowhere.close()
