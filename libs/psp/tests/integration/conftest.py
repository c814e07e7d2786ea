from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from psp.provider import WebhookRequest


@dataclass
class Inbox:
    """Whoever receives a provider's webhooks; answers 200 to all."""

    url: str = ""
    received: list[WebhookRequest] = field(default_factory=list)

    async def about(self, text: str, count: int = 1) -> list[WebhookRequest]:
        """Those that mention the text, once there are so many."""
        async with asyncio.timeout(10):
            while True:
                found = [webhook for webhook in self.received if text.encode() in webhook.body]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
async def inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox()

    async def receive(request: web.Request) -> web.Response:
        inbox.received.append(WebhookRequest(await request.read(), dict(request.headers), list(request.query.items())))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", receive)
    async with TestServer(app) as server:
        inbox.url = f"http://{server.host}:{server.port}/"
        yield inbox
