"""Every encrypted value of this service can come under a new key, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.testing.reencryption import reencrypt_there_and_back

pytestmark = pytest.mark.integration


async def test_recipients_and_contents(
    sut: Any, peers: Any, shop: Any, phones: Any, receipt: Any, listed: Any, send_all: Any
) -> None:
    sale_id = peers.bought(phone=phones(), name="Ana López")
    await sut.deliver("notifications.high", receipt(shop, sale_id))
    before = await listed(shop)
    assert before

    rewritten = await reencrypt_there_and_back(sut)

    assert rewritten["notifications"] >= 2
    assert await listed(shop) == before
    await send_all()
    assert {item["status"] for item in await listed(shop)} == {"SENT"}
