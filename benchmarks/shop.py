"""The merchant that is measured: made through the API, with ten thousand payments written behind its back."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg
from stack.countries import shop_of

SEEDED = 10_000
CROWD = 1_000_000

# Ids of seeded payments are their numbers, so that pgbench can pick one; the crowd's begin after them.
_SEED = """
INSERT INTO payments (id, business_id, amount, currency, country, time_zone, method, provider, provider_ref, status,
                      payment_link, expires_at, created_at, updated_at, submitted_at)
SELECT (lpad(to_hex($3::bigint + n), 32, '0'))::uuid, $1, 150.50, 'MXN', 'MX', 'America/Mexico_City', 'PAYMENT_LINK',
       'conekta', 'ord_seed' || ($3::bigint + n), 'PENDING', 'https://pay.conekta.com/checkout/' || n,
       now() + interval '1 day', now() - n * interval '1 second', now(), now()
FROM generate_series(1, $2::int) AS n
"""


class RefusedCall(Exception):
    def __init__(self, path: str, status: int, content: Any) -> None:
        super().__init__(f"{path}: {status} {content}")
        self.status = status


@dataclass(slots=True)
class Shop:
    """A merchant with a branch and a product, and the token to act for it."""

    gateway: str
    phone: str
    password: str
    token: str
    business_id: str
    branch_id: str
    product_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def log_in(self) -> None:
        """A fresh token: they live fifteen minutes, and a run may take longer."""
        body = {"phone": self.phone, "password": self.password}
        for last in (False, False, False, True):
            try:
                self.token = (await post(self.gateway, "/auth/login", body))["accessToken"]
                return
            except RefusedCall as error:
                # Behind a load of log-ins that were given up, each of which is hashed to its end.
                if last or error.status < 500:
                    raise
                await asyncio.sleep(5)

    async def cursor_after(self, rows: int, listed: str = "payments") -> str:
        """The cursor behind that many payments, or sales, which must be a multiple of 20."""
        cursor = ""
        async with aiohttp.ClientSession(headers=self.headers) as session:
            for _ in range(rows // 100 + 1):
                limit = min(100, rows)
                url = f"{self.gateway}/api/v1/{listed}?businessId={self.business_id}&limit={limit}"
                async with session.get(url + (f"&cursor={cursor}" if cursor else "")) as answer:
                    cursor = (await answer.json())["meta"]["nextCursor"]
                rows -= limit
                if rows <= 0:
                    break
        return cursor


async def open_shop(gateway: str, country: str = "MX") -> Shop:
    example = shop_of(country)
    phone, password = example.phone(), secrets.token_urlsafe(12)
    user = await post(gateway, "/auth/register", {"phone": phone, "password": password})
    token = user["accessToken"]
    business = await post(gateway, "/businesses", example.business(), token)
    branch = await post(gateway, f"/businesses/{business['id']}/branches", example.branch(), token)
    product = await post(
        gateway,
        "/products",
        {"businessId": business["id"], "name": example.product, "price": example.price, "stock": 1_000_000},
        token,
    )
    shop = Shop(gateway, phone, password, token, business["id"], branch["id"], product["id"])
    await shop.log_in()
    return shop


async def seed_payments(database_url: str, business_id: str, count: int, *, after: int = 0) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_SEED, business_id, count, after, timeout=600)
        await connection.execute("VACUUM ANALYZE payments", timeout=600)
    finally:
        await connection.close()


async def post(gateway: str, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway}/api/v1{path}", json=body, headers=headers) as answer,
    ):
        content = await answer.json()
        if answer.status >= 300:
            raise RefusedCall(path, answer.status, content)
        data: dict[str, Any] = content["data"]
        return data
