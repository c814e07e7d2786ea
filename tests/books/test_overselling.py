"""The last hundred units, and three hundred buyers."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.integration

Told = tuple[int, str | None]


def test_three_hundred_sales_of_a_hundred_units(town: Any) -> None:
    """Half for cash, half by QR: exactly a hundred are sold, the rest are told."""
    shop = town.open_shop()
    product = town.run(shop.product("10.00", 100))
    bodies = [
        shop.basket(product, 1, **({} if number % 2 else {"payment": {"method": "QR_DYNAMIC"}}))
        for number in range(300)
    ]
    told = town.run(_crowd(shop, bodies))
    assert told == {(201, None): 100, (422, "insufficient_stock"): 200}
    pending = [sale for sale in town.payments.payments if town.payments.payments[sale].status == "PENDING"]
    assert 0 < len(pending) < 100
    assert town.run(shop.stock()) == {product: (len(pending), len(pending))}
    assert town.run(shop.sold(product)) == 100 - len(pending)
    for sale in pending:
        town.run(shop.pays({"id": sale}))
    assert town.run(shop.stock()) == {product: (0, 0)}
    assert town.run(shop.sold(product)) == 100


async def _crowd(shop: Any, bodies: list[dict[str, Any]]) -> Counter[Told]:
    """All at once. Who is told to come back, because the shop is too full, does so with the same key."""
    keys = {uuid4().hex: body for body in bodies}
    told: dict[str, Told] = {}

    async def ask(key: str) -> None:
        status, answer = await shop.call("POST", "/sales", keys[key], **{"Idempotency-Key": key})
        if status != 503 and answer.get("code") != "idempotency_in_progress":
            told[key] = status, answer.get("code")

    await asyncio.gather(*map(ask, keys))
    for _ in range(20):
        if len(told) < len(keys):
            await shop.town.passes(61)
            await shop.town.resumes()
            await asyncio.gather(*(ask(key) for key in keys if key not in told))
    assert len(told) == len(keys)
    return Counter(told.values())
