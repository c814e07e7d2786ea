"""Log-ins: almost all of one is a bcrypt hash, so they are held against how many of those the machine can do."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time

import bcrypt

from benchmarks.bench import Bench, Group
from benchmarks.shop import post
from benchmarks.table import Row
from benchmarks.tools import CONNECTIONS

# Of the suite, in production and here.
_COST = 12
# With so many connections a log-in takes as long as all of their hashes together.
_SECONDS = 8
_CORES = os.cpu_count() or 1


async def measure(bench: Bench) -> None:
    users = await _register_users(bench.gateway, 2 * CONNECTIONS)
    bench.settle()
    bare = _bare_rate(bench.seconds)
    load = bench.load(f"{bench.gateway}/api/v1/auth/login", script="login.lua", arguments=users, at_least=_SECONDS)
    bench.table.add(
        Row(
            "POST /auth/login through the gateway",
            f"{load.rate:.1f}/s, p50 {load.p50:,.0f} ms, p99 {load.p99:,.0f} ms{load.note()}",
            f"bare bcrypt {bare:.1f}/s, {_CORES} threads",
            load.rate / bare,
            floor=0.5,
            aim=0.8,
        )
    )


async def _register_users(gateway: str, count: int) -> list[str]:
    """The bodies with which so many new users log in: many log-ins of one user at once would be taken for guessing."""
    bodies = []
    for _ in range(count):
        body = {
            "phone": f"+5255{secrets.randbelow(90_000_000) + 10_000_000}",
            "password": secrets.token_urlsafe(12),
        }
        await post(gateway, "/auth/register", body)
        bodies.append(json.dumps(body))
    return bodies


def _bare_rate(seconds: float) -> float:
    """Comparisons a second of this library with nothing around it, one thread for each core."""
    stored = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(_COST))
    until = time.perf_counter() + seconds
    done = [0] * _CORES

    def compare(thread: int) -> None:
        while time.perf_counter() < until:
            bcrypt.checkpw(b"correct horse battery", stored)
            done[thread] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=compare, args=(number,)) for number in range(_CORES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - started)


GROUP = Group("logins", 50, measure)
