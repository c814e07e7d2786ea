"""A running suite, and what was said in it that no log may repeat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import asyncpg
from stack.runner import LAUNCHER
from stack.suite import Suite
from twins.testing import Twins, connected

from .client import Client

P = ParamSpec("P")
T = TypeVar("T")

OWN_KEY = "key-of-a-shop-of-its-own"
OWN_SECRET = "secret-of-a-shop-of-its-own"
OWN_NUMBER = "4711"
# What a person would wait for is made short: password hashes, retries of messages and of webhooks, resumed sales.
ENVIRONMENT = {
    "AUTH_BCRYPT_COST": "4",
    "BUS_RETRY_LADDER": "0.2,0.5,1,2",
    "TWINS_TIME_SCALE": "50",
    "SALES_SAGA_LEASE": "5",
    "SALES_RESUME_EVERY": "0.5",
    # No provider is waited for longer than a test would.
    **{f"{name}_TIMEOUT_SECONDS": "3" for name in ("CONEKTA", "KHIPU", "MERCADOPAGO", "PAYU")},
    # Besides the platform's account at a provider, one that a shop has of its own.
    "TWINS_KHIPU_ACCOUNTS": f"{OWN_KEY}:{OWN_SECRET}:{OWN_NUMBER}",
}
# All tests call from one address, or say from which they do.
UNLIMITED = {
    "GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32",
    "GATEWAY_LIMIT_PUBLIC": "600000/60:100000",
    "GATEWAY_LIMIT_LOGIN": "600000/60:100000",
    "GATEWAY_LIMIT_CODES": "600000/60:100000",
    "GATEWAY_LIMIT_API": "600000/60:100000",
    "GATEWAY_LIMIT_BUSINESS": "600000/60:100000",
}


@dataclass
class Stage:
    """secrets: phones, e-mail addresses, passwords and tokens that were sent or received."""

    suite: Suite
    client: Client
    twins: Twins
    _executor: ThreadPoolExecutor
    secrets: set[str] = field(default_factory=set, repr=False)

    @property
    def services(self) -> list[str]:
        return [name for name in self.suite.addresses.http if name != "twins"]

    async def do(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something to the suite that takes its time. In one thread: processes end with what started them."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: action(*args, **kwargs))

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """Of all schemas at once, as an administrator sees them; tables are named `<service>.<table>`."""
        connection = await asyncpg.connect(self.suite.database_url("auth"))
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()


@asynccontextmanager
async def running_stage(
    *, environment: Mapping[str, str] | None = None, launcher: Sequence[str] = LAUNCHER
) -> AsyncIterator[Stage]:
    """A whole suite on servers of its own."""
    suite = Suite(environment={**ENVIRONMENT, **UNLIMITED, **(environment or {})}, launcher=launcher)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="suite") as executor:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(executor, suite.up)
        try:
            key = suite.secrets["TWINS_CONEKTA_API_KEY"]
            async with Client(suite.gateway_url) as client, connected(suite.twins_url, key) as twins:
                yield Stage(suite, client, twins, executor)
        finally:
            await loop.run_in_executor(executor, suite.down)
