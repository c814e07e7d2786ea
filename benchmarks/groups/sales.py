"""Sales at the counter, of one product, for cash and by QR."""

from __future__ import annotations

import json
import uuid

from benchmarks.bench import Bench, Group
from benchmarks.tools import Load


async def measure(bench: Bench) -> None:
    shop = bench.shop
    ids = {"business": shop.business_id, "branch": shop.branch_id, "product": shop.product_id}
    sale = bench.pgbench("create_sale.sql", service="sales", **ids)
    goods = bench.pgbench("take_goods.sql", service="catalog", **ids)
    cash = _together(sale, goods)
    bench.against("POST /sales for cash, through the gateway", _sold(bench, "CASH"), cash, floor=0.05, aim=0.2)
    bench.settle()
    by_qr = _together(sale, goods, bench.writing())
    bench.against("POST /sales by QR, through the gateway", _sold(bench, "QR_DYNAMIC"), by_qr, floor=0.05, aim=0.2)
    bench.settle()


def _together(*rates: float) -> float:
    """Times a second that all of them are done, one after the other: they are transactions of services apart."""
    return 1 / sum(1 / rate for rate in rates)


def _sold(bench: Bench, method: str) -> Load:
    body = {
        "businessId": bench.shop.business_id,
        "branchId": bench.shop.branch_id,
        "items": [{"productId": bench.shop.product_id, "quantity": 1}],
        "payment": {"method": method},
    }
    return bench.load(
        f"{bench.gateway}/api/v1/sales",
        script="intent.lua",
        headers=bench.shop.headers,
        arguments=[json.dumps(body), uuid.uuid4().hex[:8]],
    )


GROUP = Group("sales", 310, measure)
