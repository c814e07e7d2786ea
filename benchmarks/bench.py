"""What every group of rows is given: the suite that runs, a merchant in it, the load tools, and the table."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from stack.suite import Suite

from benchmarks.notifications import Notifications
from benchmarks.processes import ProcessorTime
from benchmarks.shop import SEEDED, Shop, open_shop, seed_payments
from benchmarks.table import Row, Table
from benchmarks.tools import CONNECTIONS, Load, pgbench, wrk

Measure = Callable[["Bench"], Awaitable[None]]
MeasureAlone = Callable[[Table], Awaitable[None]]

# Seconds of processor time that the suite takes in a second of nothing to do, and some more.
_IDLE = 0.3


@dataclass(frozen=True, slots=True)
class Group:
    """Some rows of the table, measured together: what each file of `benchmarks/groups` has as `GROUP`.

    Args:
        name: what `--only` names it by.
        order: groups run in ascending order; what must find an idle suite comes first, what leaves work behind last.
        measure: adds the rows, with the suite running.
        slow: left out of `--quick`, unless `--only` names it.
    """

    name: str
    order: int
    measure: Measure
    slow: bool = False


@dataclass(frozen=True, slots=True)
class GroupAlone:
    """A group that needs neither servers nor services."""

    name: str
    order: int
    measure: MeasureAlone
    slow: bool = False


class Bench:
    """seconds: how long each load runs. psp: address of the provider that answers at once, as Conekta.
    shop: a merchant with 10,000 payments, logged in afresh for each group."""

    def __init__(self, suite: Suite, psp: str, scratch: Path, shop: Shop, table: Table, *, seconds: int) -> None:
        self.suite = suite
        self.psp = psp
        self.scratch = scratch
        self.shop = shop
        self.table = table
        self.seconds = seconds
        self._processor_time = ProcessorTime(suite)
        self._writing: float | None = None

    @classmethod
    async def open(cls, suite: Suite, psp: str, scratch: Path, table: Table, *, seconds: int) -> Bench:
        shop = await open_shop(suite.gateway_url)
        await seed_payments(suite.database_url("payments"), shop.business_id, SEEDED)
        await asyncio.sleep(5)
        return cls(suite, psp, scratch, shop, table, seconds=seconds)

    @property
    def gateway(self) -> str:
        return self.suite.gateway_url

    def notifications(self) -> Notifications:
        return Notifications(self.suite.secrets["TWINS_CONEKTA_PRIVATE_KEY"])

    def writing(self) -> float:
        """The reference of whatever writes: transactions a second of PostgreSQL alone, with the rows that creating a
        payment writes. Measured once, when it is first asked for."""
        if self._writing is None:
            self._writing = self.pgbench("create_intent.sql", business=self.shop.business_id)
        return self._writing

    def pgbench(self, script: str, *, service: str = "payments", **variables: str) -> float:
        """Transactions a second of a script of benchmarks/pgbench, with a service's tables at hand."""
        return pgbench(self.suite.database_url(service), script, seconds=self.seconds, variables=variables)

    def get(self, base: str, path: str, *, shop: Shop | None = None, connections: int = CONNECTIONS) -> Load:
        """GET, again and again. path: without /api/v1."""
        headers = (shop or self.shop).headers
        return self.load(f"{base}/api/v1{path}", headers=headers, connections=connections)

    def load(
        self,
        url: str,
        *,
        script: str | None = None,
        headers: dict[str, str] | None = None,
        arguments: list[str] | None = None,
        connections: int = CONNECTIONS,
        at_least: int = 0,
    ) -> Load:
        """wrk with one of the scripts of benchmarks/wrk; prints what processor time a request took, and where.

        at_least: seconds, for what takes so long that a quick run would see none of it.
        """
        with self._processor_time.taken() as took:
            load = wrk(
                url,
                seconds=max(self.seconds, at_least),
                script=script,
                headers=headers,
                arguments=arguments,
                connections=connections,
            )
        print(f"    µs of processor time per request: {took.per(load.requests)}", flush=True)
        return load

    def against(self, what: str, load: Load, reference: float, *, floor: float, aim: float) -> None:
        """A row of requests a second beside pgbench's transactions a second."""
        self.table.add(
            Row(
                what,
                f"{load.rate:,.0f}/s, p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms{load.note()}",
                f"pgbench {reference:,.0f}/s",
                load.rate / reference,
                floor=floor,
                aim=aim,
            )
        )

    def settle(self) -> None:
        """Wait until what a measurement set off has run its course, or a minute has passed."""
        for _ in range(60):
            with self._processor_time.taken() as took:
                time.sleep(1)
            if sum(took.seconds.values()) < _IDLE:
                return
