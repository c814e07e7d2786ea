"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

from typing import Any

import pytest
from chassis.testing.barriers import unsecured
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_every_table_is_secured(sut: Any) -> None:
    assert await unsecured(sut.owner_url, exempt={}) == []


async def reach(shop: Any, sale: dict[str, Any]) -> dict[str, int]:
    """What a stranger gets of somebody else's sale, by every route."""
    stranger = make_principal(owns=[new_id()])
    headers = shop.sut.as_(stranger)
    client, path = shop.sut.client, f"/api/v1/sales/{sale['id']}"
    listed = await client.get("/api/v1/sales", headers=headers)
    devices = await client.get("/api/v1/sales/sync/devices", headers=headers)
    product = shop.product()
    return {
        "show": (await client.get(path, headers=headers)).status_code,
        "cancel": (await client.post(f"{path}/cancel", headers=headers)).status_code,
        "refund": (await client.post(f"{path}/refund", json={}, headers=headers)).status_code,
        "refunds": (await client.get(f"{path}/refunds", headers=headers)).status_code,
        "list": 200 if sale["id"] in listed.text else 404,
        "devices": 200 if "caja-de-la-casa" in devices.text else 404,
        "sync": await synced(shop, sale, headers),
        "sell": (await shop.post(shop.body(product), caller=stranger)).status_code,
    }


async def synced(shop: Any, sale: dict[str, Any], headers: dict[str, str]) -> int:
    """Of a till that claims to be one of the house. An empty batch that only says how far it has numbered its sales."""
    body = {
        "businessId": sale["businessId"],
        "branchId": sale["branchId"],
        "deviceId": "caja-de-la-casa",
        "sales": [],
        "lastSequence": 9,
    }
    return int((await shop.sut.client.post("/api/v1/sales/sync", json=body, headers=headers)).status_code)


async def sold(shop: Any) -> dict[str, Any]:
    """A sale, and a till that has been seen."""
    sale: dict[str, Any] = await shop.sell(shop.product())
    assert await synced(shop, sale, shop.sut.as_(shop.owner)) == 200
    return sale


async def test_the_filter_alone(shop: Any) -> None:
    sale = await sold(shop)
    async with shop.sut.row_security_off():
        assert set((await reach(shop, sale)).values()) == {404}


async def test_row_level_security_alone(shop: Any) -> None:
    sale = await sold(shop)
    with shop.sut.filters_off():
        assert set((await reach(shop, sale)).values()) == {404}
    assert await shop.get(sale["id"]) == sale
    assert len(await shop.sales()) == 1


async def test_with_both_down_nothing_holds(shop: Any) -> None:
    sale = await sold(shop)
    async with shop.sut.row_security_off():
        with shop.sut.filters_off():
            assert await reach(shop, sale) == {
                "show": 200,
                "cancel": 200,
                # It has just been canceled, by a stranger.
                "refund": 409,
                "refunds": 200,
                "list": 200,
                "devices": 200,
                "sync": 200,
                "sell": 201,
            }
