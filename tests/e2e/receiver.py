"""A merchant's own server, to which webhooks are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from .merchant import Json, Merchant


@dataclass(frozen=True, slots=True)
class Post:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """posts: what came. Who posts something that names one of `silent_of` gets no answer before the end."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    silent_of: set[str] = field(default_factory=set)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.posts.append(Post(dict(request.headers), body))
        if any(name.encode() in body for name in self.silent_of):
            await self.end.wait()
        return web.Response(text="gracias")

    async def arrived(self) -> list[Post]:
        return list(self.posts)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver), shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cobro"
        yield receiver
    finally:
        # A server that closes waits for its handlers.
        receiver.end.set()
        await runner.cleanup()


async def subscribe(merchant: Merchant, receiver: Receiver, *events: str) -> Json:
    """The new endpoint, with its secret."""
    body = {"businessId": merchant.business_id, "url": receiver.url, "events": list(events)}
    made: Json = (await merchant.client.post("/webhook-endpoints", body)).data(201)
    return made
