"""What the services hold while nobody asks them anything. First of all, before any load has made them grow."""

from __future__ import annotations

import psutil
from stack.services import SERVICES

from benchmarks.bench import Bench, Group
from benchmarks.table import Row


async def measure(bench: Bench) -> None:
    memory = {
        service.name: psutil.Process(pid).memory_full_info()
        for service in SERVICES
        if service.installed() and (pid := bench.suite.pid(service.name)) is not None
    }
    # PSS counts a page shared by several processes once; RSS counts it in each of them.
    sizes = {name: size.pss / 2**20 for name, size in memory.items()}
    resident = {name: size.rss / 2**20 for name, size in memory.items()}
    largest = max(sizes, key=lambda name: sizes[name])
    each = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    total = f"RSS {sum(resident.values()):.0f} MiB"
    bench.table.add(Row("idle memory (PSS), all services", each, total, sum(sizes.values()), "MiB", 1024, 600, False))
    most = f"RSS at most {max(resident.values()):.0f} MiB"
    bench.table.add(Row("idle memory (PSS), the largest", largest, most, sizes[largest], "MiB", 110, None, False))


GROUP = Group("memory", 10, measure)
