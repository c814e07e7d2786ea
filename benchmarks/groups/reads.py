"""Payments are read: one, and a page of them, beside PostgreSQL selecting one by its key."""

from __future__ import annotations

import uuid

from benchmarks.bench import Bench, Group
from benchmarks.shop import SEEDED
from benchmarks.table import Row


async def measure(bench: Bench) -> None:
    one = uuid.UUID(int=SEEDED // 2)
    reference = bench.pgbench("get_payment.sql")
    through = bench.get(bench.gateway, f"/payments/{one}")
    bench.against("GET one payment through the gateway", through, reference, floor=0.04, aim=0.14)
    direct = bench.get(bench.suite.url("payments"), f"/payments/{one}")
    bench.table.add(
        Row(
            "the gateway's own cost (GET one payment)",
            f"{through.rate:,.0f}/s, p99 {through.p99:.1f} ms",
            f"asked directly {direct.rate:,.0f}/s, p99 {direct.p99:.1f} ms",
            through.rate / direct.rate,
            floor=0.5,
            aim=0.7,
        )
    )
    listed = bench.get(bench.gateway, f"/payments?businessId={bench.shop.business_id}&limit=20")
    bench.against(f"first page of 20 of {SEEDED:,} payments", listed, reference, floor=0.012, aim=0.034)


GROUP = Group("reads", 20, measure)
