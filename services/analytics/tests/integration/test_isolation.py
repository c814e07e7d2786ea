"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from chassis.testing.barriers import unsecured
from chassis.testing.tokens import make_principal
from contracts.events.sales import SaleCompleted
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_every_table_is_secured(analytics: Any) -> None:
    assert await unsecured(analytics.owner_url, exempt={}) == []


async def reach(merchant: Any) -> set[int]:
    """What a stranger gets of somebody else's figures, computed or remembered."""
    stranger = make_principal(owns=[new_id()])
    return {
        (await merchant.get(report, caller=stranger, fresh=fresh)).status_code
        for report in ("summary", "sales", "payments", "top-products", "cash", "hours", "stock")
        for fresh in ("true", "false")
    }


async def test_either_barrier_alone(merchant: Any) -> None:
    await merchant.hears(merchant.sale(SaleCompleted))
    figures = await merchant.summary()
    async with merchant.service.row_security_off():
        assert await reach(merchant) == {404}
    with merchant.service.filters_off():
        assert await reach(merchant) == {404}
    assert await merchant.summary() | {"generatedAt": ""} == figures | {"generatedAt": ""}


async def test_facts_of_another_business_are_not_written(merchant: Any, open_shop: Any) -> None:
    """An event's handler has the rows of its business and no others."""
    other = open_shop()
    sale = merchant.sale(SaleCompleted)
    await merchant.hears(sale)
    before = await merchant.summary()
    forged = other.sale(SaleCompleted, id=sale.aggregate_id, version=9, total="1.00", tax="0.00")
    await other.hears(forged)
    # Nor do they come within reach where both businesses' events are written together.
    others = other.sale(SaleCompleted)
    await asyncio.gather(
        *(merchant.hears(merchant.sale(SaleCompleted, at=merchant.now - timedelta(days=40))) for _ in range(3)),
        other.hears(forged.model_copy(update={"aggregate_version": 10})),
        other.hears(others),
    )
    assert await merchant.summary() == before
    assert (await other.summary())["salesCount"] == 1
