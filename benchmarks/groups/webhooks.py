"""Providers' notifications are taken in: verified, stored and answered."""

from __future__ import annotations

from benchmarks.bench import Bench, Group


async def measure(bench: Bench) -> None:
    file = bench.scratch / "notifications"
    bench.notifications().write(file, 2_000 * (bench.seconds + 2))
    load = bench.load(f"{bench.gateway}/webhooks/conekta", script="webhook.lua", arguments=[str(file)])
    bench.against("PSP webhook to durable 200", load, bench.writing(), floor=0.10, aim=0.20)


GROUP = Group("webhooks", 30, measure)
