"""What a page costs where there are a hundred times the payments, one client at a time."""

from __future__ import annotations

from benchmarks.bench import Bench, Group
from benchmarks.shop import CROWD, SEEDED, Shop, open_shop, seed_payments
from benchmarks.table import Row
from benchmarks.tools import Load

_DEEP = 9_980


async def measure(bench: Bench) -> None:
    small = [_page(bench, bench.shop), _page(bench, bench.shop, cursor=await bench.shop.cursor_after(_DEEP))]
    large_shop = await open_shop(bench.gateway)
    print(f"  … writing {CROWD:,} payments", flush=True)
    await seed_payments(bench.suite.database_url("payments"), large_shop.business_id, CROWD, after=SEEDED)
    large = [_page(bench, large_shop), _page(bench, large_shop, cursor=await large_shop.cursor_after(_DEEP))]
    for name, few, many in zip(("first page", "10,000th row by cursor"), small, large, strict=True):
        bench.table.add(
            Row(
                f"{name} of {CROWD:,} payments",
                f"p50 {many.p50:.1f} ms",
                f"of {SEEDED:,}: p50 {few.p50:.1f} ms",
                many.p50 / few.p50,
                floor=2,
                aim=1.1,
                higher_is_better=False,
            )
        )


def _page(bench: Bench, shop: Shop, *, cursor: str | None = None) -> Load:
    query = f"businessId={shop.business_id}&limit=20" + (f"&cursor={cursor}" if cursor else "")
    return bench.get(bench.gateway, f"/payments?{query}", shop=shop, connections=1)


GROUP = Group("lists", 900, measure, slow=True)
