"""Start the suite on durable servers, measure it, print the table. `--quick`: shortly, to see that it works."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
from stack.infra import locate
from stack.ports import PortPicker
from stack.services import SERVICES
from stack.suite import Suite

from benchmarks import adapters
from benchmarks.chain import ChainBench
from benchmarks.logins import CORES, bare_rate, register_users
from benchmarks.notifications import Notifications
from benchmarks.shop import CROWD, SEEDED, Shop, open_shop, seed_payments
from benchmarks.table import Row, Table
from benchmarks.tools import CONNECTIONS, Load, pgbench, wrk

# The limits stay switched on, so that their cost is measured, and high, so that they do not cut the measurement off.
_UNLIMITED = "9000000/60:9000000"
_ENVIRONMENT = {
    "LOG_LEVEL": "WARNING",
    "CONEKTA_CALLS_PER_SECOND": "100000",
    **{f"GATEWAY_LIMIT_{name}": _UNLIMITED for name in ("PUBLIC", "LOGIN", "WEBHOOKS", "API", "BUSINESS")},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two seconds each, and no million rows")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="cobro-bench-") as scratch:
        os.chmod(scratch, 0o755)
        with _instant_psp() as psp, _suite(Path(scratch), psp) as suite:
            table = asyncio.run(Bench(suite, psp, Path(scratch), seconds=2 if quick else 10, crowd=not quick).run())
    print()
    print(table.render())


@contextlib.contextmanager
def _instant_psp() -> Iterator[str]:
    port = PortPicker().pick()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.instant_psp", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def _suite(scratch: Path, psp: str) -> Iterator[Suite]:
    infrastructure = locate(directory=scratch / "servers", notify=print)
    with Suite(
        infrastructure=infrastructure, environment={**_ENVIRONMENT, "CONEKTA_API_URL": psp}, notify=print
    ) as suite:
        yield suite


class Bench:
    """The measurements, in an order in which none disturbs the next: memory first, what is created (and then polled at
    the provider for as long as it is pending) after what is read, the million rows last."""

    def __init__(self, suite: Suite, psp: str, scratch: Path, *, seconds: int, crowd: bool) -> None:
        self._suite = suite
        self._psp = psp
        self._scratch = scratch
        self._seconds = seconds
        self._crowd = crowd
        self._gateway = suite.gateway_url
        self._payments = suite.database_url("payments")
        self._table = Table()

    async def run(self) -> Table:
        self._shop = await open_shop(self._gateway)
        await seed_payments(self._payments, self._shop.business_id, SEEDED)
        await asyncio.sleep(5)
        self._memory()
        self._writing = pgbench(
            self._payments, "create_intent.sql", seconds=self._seconds, variables={"business": self._shop.business_id}
        )
        for measure in (self._read, self._webhook, self._create):
            measure()
            self._quiet()
        await self._logins()
        await self._shop.log_in()
        await self._chain()
        await adapters.measure(self._table)
        if self._crowd:
            await self._million()
        return self._table

    def _quiet(self) -> None:
        """Wait until what a measurement set off has run its course, or a minute has passed."""
        for _ in range(60):
            if psutil.cpu_percent(interval=1) < 20:
                return

    def _memory(self) -> None:
        memory = {
            service.name: psutil.Process(pid).memory_full_info()
            for service in SERVICES
            if service.installed() and (pid := self._suite.pid(service.name)) is not None
        }
        # PSS counts a page shared by several processes once; RSS counts it in each of them.
        sizes = {name: size.pss / 2**20 for name, size in memory.items()}
        resident = {name: size.rss / 2**20 for name, size in memory.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        each = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
        total = f"RSS {sum(resident.values()):.0f} MiB"
        self._table.add(
            Row("idle memory (PSS), all services", each, total, sum(sizes.values()), "MiB", 1024, 600, False)
        )
        most = f"RSS at most {max(resident.values()):.0f} MiB"
        self._table.add(Row("idle memory (PSS), the largest", largest, most, sizes[largest], "MiB", 110, None, False))

    def _create(self) -> None:
        body = {
            "businessId": self._shop.business_id,
            "amount": "150.50",
            "method": "PAYMENT_LINK",
            "description": "Café de olla",
        }
        arguments = [json.dumps(body), uuid.uuid4().hex[:8]]
        load = wrk(
            f"{self._gateway}/api/v1/payments/intent",
            seconds=self._seconds,
            script="intent.lua",
            headers=self._shop.headers,
            arguments=arguments,
        )
        self._against("POST /payments/intent through the gateway", load, self._writing, floor=0.08, aim=0.32)

    def _read(self) -> None:
        one = uuid.UUID(int=SEEDED // 2)
        reference = pgbench(self._payments, "get_payment.sql", seconds=self._seconds)
        through = self._get(self._gateway, f"/payments/{one}")
        self._against("GET one payment through the gateway", through, reference, floor=0.04, aim=0.14)
        direct = self._get(self._suite.url("payments"), f"/payments/{one}")
        self._table.add(
            Row(
                "the gateway's own cost (GET one payment)",
                f"{through.rate:,.0f}/s, p99 {through.p99:.1f} ms",
                f"asked directly {direct.rate:,.0f}/s, p99 {direct.p99:.1f} ms",
                through.rate / direct.rate,
                floor=0.5,
                aim=0.7,
            )
        )
        listed = self._get(self._gateway, f"/payments?businessId={self._shop.business_id}&limit=20")
        self._against(f"first page of 20 of {SEEDED:,} payments", listed, reference, floor=0.012, aim=0.034)

    def _webhook(self) -> None:
        notifications = Notifications(self._suite.secrets["TWINS_CONEKTA_PRIVATE_KEY"])
        file = self._scratch / "notifications"
        notifications.write(file, 2_000 * (self._seconds + 2))
        url = f"{self._gateway}/webhooks/conekta"
        load = wrk(url, seconds=self._seconds, script="webhook.lua", arguments=[str(file)])
        self._against("PSP webhook to durable 200", load, self._writing, floor=0.10, aim=0.20)

    async def _logins(self) -> None:
        users = await register_users(self._gateway, 2 * CONNECTIONS)
        self._quiet()
        bare = bare_rate(self._seconds)
        load = wrk(f"{self._gateway}/api/v1/auth/login", seconds=self._seconds, script="login.lua", arguments=users)
        note = f", {load.errors} errors" if load.errors else ""
        self._table.add(
            Row(
                "POST /auth/login through the gateway",
                f"{load.rate:.1f}/s, p50 {load.p50:,.0f} ms, p99 {load.p99:,.0f} ms{note}",
                f"bare bcrypt {bare:.1f}/s, {CORES} threads",
                load.rate / bare,
                floor=0.5,
                aim=0.8,
            )
        )

    async def _chain(self) -> None:
        notifications = Notifications(self._suite.secrets["TWINS_CONEKTA_PRIVATE_KEY"])
        databases = {name: self._suite.database_url(name) for name in ("sales", "webhooks")}
        chain = await ChainBench(self._shop, self._psp, notifications, databases).run(20 * self._seconds)
        self._table.add(
            Row(
                "webhook accepted to sale completed, p99 at half load",
                f"p50 {chain.p50:.0f} ms at {chain.pace:.0f} sales/s, {chain.unfinished} left",
                f"burst of the same: {chain.capacity:.0f} sales/s",
                chain.p99,
                "ms",
                1000,
                250,
                False,
            )
        )

    async def _million(self) -> None:
        """Another merchant, with a hundred times the payments: what the same pages cost there, one client at a time."""
        small = [self._page(self._shop), self._page(self._shop, cursor=await self._shop.cursor_after(9_980))]
        large_shop = await open_shop(self._gateway)
        print(f"  … writing {CROWD:,} payments", flush=True)
        await seed_payments(self._payments, large_shop.business_id, CROWD, after=SEEDED)
        large = [self._page(large_shop), self._page(large_shop, cursor=await large_shop.cursor_after(9_980))]
        for name, few, many in zip(("first page", "10,000th row by cursor"), small, large, strict=True):
            self._table.add(
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

    def _page(self, shop: Shop, *, cursor: str | None = None) -> Load:
        query = f"businessId={shop.business_id}&limit=20" + (f"&cursor={cursor}" if cursor else "")
        return wrk(
            f"{self._gateway}/api/v1/payments?{query}", seconds=self._seconds, headers=shop.headers, connections=1
        )

    def _get(self, base: str, path: str, *, connections: int = 16) -> Load:
        return wrk(f"{base}/api/v1{path}", seconds=self._seconds, headers=self._shop.headers, connections=connections)

    def _against(self, what: str, load: Load, reference: float, *, floor: float, aim: float) -> None:
        note = f", {load.errors} errors" if load.errors else ""
        self._table.add(
            Row(
                what,
                f"{load.rate:,.0f}/s, p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms{note}",
                f"pgbench {reference:,.0f}/s",
                load.rate / reference,
                floor=floor,
                aim=aim,
            )
        )


if __name__ == "__main__":
    main()
