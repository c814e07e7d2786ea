"""Every encrypted value of this service can come under a new key, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.testing.reencryption import reencrypt_there_and_back

pytestmark = pytest.mark.integration


async def test_documents(sut: Any, shop: Any, issued: Any) -> None:
    _, invoice = await issued(shop)

    rewritten = await reencrypt_there_and_back(sut)

    assert rewritten["invoices"]
    pdf = await sut.client.get(
        f"/api/v1/invoices/{invoice['id']}/pdf", params={"format": "a4", "lang": "en"}, headers=sut.as_(shop.owner)
    )
    assert pdf.status_code == 200, pdf.text
    assert pdf.content.startswith(b"%PDF")
