"""A receipt is for the buyer who has its link, and not for whoever guesses."""

from __future__ import annotations

import pytest

from e2e.merchant import Merchant
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_a_buyers_key_opens_its_own_receipt_only(stage: Stage, merchant: Merchant) -> None:
    product = await merchant.product()
    sale = await merchant.sell(product, method="CASH", tendered="500.00")
    await merchant.receipt(sale)
    nobody = stage.client.holding(None)
    receipt = f"/receipts/{sale['id']}"
    for key in ("x", "0" * 22, "%00", "é", "'--"):
        (await nobody.call("GET", receipt, query={"key": key})).error(400, 404)
    (await nobody.call("GET", receipt)).error(401)
    (await nobody.call("GET", receipt, query={"key": ""})).error(401)
