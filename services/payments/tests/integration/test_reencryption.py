"""Every encrypted value of this service can come under a new key, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.testing.reencryption import reencrypt_there_and_back
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_buyers_and_stored_answers(till: Any) -> None:
    key = f"key-{new_id()}"
    wish = till.wish(customer={"name": "Ana López", "phone": "+525511112222"})
    first = await till.post("/intent", wish, key=key)
    assert first.status_code == 201, first.text

    rewritten = await reencrypt_there_and_back(till.sut)

    assert all(rewritten[place] for place in ("payments", "idempotency_keys"))
    assert (await till.post("/intent", wish, key=key)).json() == first.json()
