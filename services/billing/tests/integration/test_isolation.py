"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

from typing import Any

import pytest
from chassis.testing.barriers import unsecured
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_every_table_is_secured(sut: Any) -> None:
    assert await unsecured(sut.owner_url, exempt={}) == []


async def reach(sut: Any, invoice: dict[str, Any]) -> dict[str, int]:
    """What a stranger gets of somebody else's document, by every route."""
    headers = sut.as_(make_principal(owns=[new_id()]))
    path = f"/api/v1/invoices/{invoice['id']}"
    listed = await sut.client.get("/api/v1/invoices", headers=headers)
    return {
        "show": (await sut.client.get(path, headers=headers)).status_code,
        "pdf": (await sut.client.get(f"{path}/pdf", headers=headers)).status_code,
        "receipt": (await sut.client.get(f"/api/v1/receipts/{invoice['saleId']}", headers=headers)).status_code,
        "retry": (await sut.client.post(f"{path}/retry", headers=headers)).status_code,
        "list": 200 if invoice["id"] in listed.text else 404,
    }


async def test_the_filter_alone(sut: Any, shop: Any, issued: Any) -> None:
    _, invoice = await issued(shop)
    async with sut.row_security_off():
        assert set((await reach(sut, invoice)).values()) == {404}


async def test_row_level_security_alone(sut: Any, shop: Any, issued: Any) -> None:
    _, invoice = await issued(shop)
    with sut.filters_off():
        assert set((await reach(sut, invoice)).values()) == {404}


async def test_with_both_down_nothing_holds(sut: Any, shop: Any, issued: Any) -> None:
    _, invoice = await issued(shop)
    async with sut.row_security_off():
        with sut.filters_off():
            found = await reach(sut, invoice)
    assert found == {"show": 200, "pdf": 200, "receipt": 200, "retry": 409, "list": 200}
