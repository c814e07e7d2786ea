from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twins.testing import Twins, running_twins


@dataclass
class Receiver:
    """Where webhooks go. answers: the next statuses, then 200 for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def events(self, order_id: str) -> list[dict[str, Any]]:
        parsed = [json.loads(body) for body, _ in self.received]
        return [event for event in parsed if event["data"].get("object", {}).get("id") == order_id]

    async def about(self, order_id: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(10):
            while True:
                found = self.events(order_id)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)

    async def mentioning(self, text: str, count: int = 1) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """Those whose body holds the text, with their headers, once there are so many."""
        async with asyncio.timeout(10):
            while True:
                found = [(json.loads(body), headers) for body, headers in self.received if text.encode() in body]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def receive(request: web.Request) -> web.Response:
        receiver.received.append((await request.read(), dict(request.headers)))
        return web.Response(status=receiver.answers.pop(0) if receiver.answers else 200)

    app = web.Application()
    app.router.add_post("/hook", receive)
    async with TestServer(app) as server:
        receiver.url = f"http://{server.host}:{server.port}/hook"
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    listening.answers.clear()
    listening.received.clear()
    return listening


@pytest.fixture(scope="session")
async def started(listening: Receiver) -> AsyncIterator[Twins]:
    async with running_twins(listening.url) as running:
        yield running


@pytest.fixture
async def twins(started: Twins, receiver: Receiver) -> Twins:
    await started.reset()
    return started


class Conekta:
    """Conekta's API by hand."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, drop: Iterable[str] = (), **headers: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        sent = {"Authorization": "Bearer key_twin", "Accept": "application/vnd.conekta-v2.3.0+json", **headers}
        sent = {name: value for name, value in sent.items() if name not in drop}
        data = body if isinstance(body, bytes) else None
        async with self._session.request(
            method, self._url + path, headers=sent, data=data, json=None if data is not None else body
        ) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers

    async def order(self, **changes: Any) -> dict[str, Any]:
        status, order, _ = await self("POST", "/orders", order_body(**changes))
        assert status == 200, order
        return order  # type: ignore[no-any-return]


def order_body(**changes: Any) -> dict[str, Any]:
    body = {
        "currency": "MXN",
        "customer_info": {"name": "Juan Rosas", "email": "a@b.mx", "phone": "5531431590"},
        "line_items": [{"name": "Cobro", "unit_price": 10000, "quantity": 2}],
        "checkout": {"type": "HostedPayment", "allowed_payment_methods": ["card"]},
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


@pytest.fixture
async def conekta(twins: Twins) -> AsyncIterator[Conekta]:
    async with aiohttp.ClientSession() as session:
        yield Conekta(twins.conekta_url, session)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
