"""Log-ins: almost all of one is a bcrypt hash, so they are held against how many of those the machine can do."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time

import bcrypt

from benchmarks.shop import post

# Of the suite, in production and here.
_COST = 12
CORES = os.cpu_count() or 1


async def register_users(gateway: str, count: int) -> list[str]:
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


def bare_rate(seconds: float) -> float:
    """Comparisons a second of this library with nothing around it, one thread for each core."""
    stored = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(_COST))
    until = time.perf_counter() + seconds
    done = [0] * CORES

    def compare(thread: int) -> None:
        while time.perf_counter() < until:
            bcrypt.checkpw(b"correct horse battery", stored)
            done[thread] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=compare, args=(number,)) for number in range(CORES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - started)
