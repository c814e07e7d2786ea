"""Every encrypted value of this service can come under a new key, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.testing.reencryption import reencrypt_there_and_back
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_buyers_and_stored_answers(shop: Any) -> None:
    key = f"key-{new_id()}"
    body = shop.body(shop.product(), customer={"name": "Ana López", "phone": "+525511112222"})
    sale = (await shop.post(body, key=key)).json()["data"]

    rewritten = await reencrypt_there_and_back(shop.sut)

    assert all(rewritten[place] for place in ("sales", "idempotency_keys"))
    assert (await shop.get(sale["id"]))["customer"]["name"] == "Ana López"
    assert (await shop.post(body, key=key)).json()["data"]["customer"]["name"] == "Ana López"
