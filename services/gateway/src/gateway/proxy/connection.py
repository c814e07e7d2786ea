"""One HTTP/1.1 connection to a service: one request at a time, its answer as it arrives, nothing decoded.

Written on httptools rather than on a general client because this is the gateway's whole work (figures: README).

UpstreamError
├── NotSent          no connection: the service has seen nothing, sending again is safe
│   └── Busy         every connection to the service is in use
└── Broken           the connection ended, or the answer was not HTTP, before the answer was whole
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from gateway.proxy.headers import Headers

# Unread bytes of an answer beyond which the service is made to wait for a slow client.
_HIGH_WATER = 256 << 10


class UpstreamError(Exception):
    pass


class NotSent(UpstreamError):
    pass


class Busy(NotSent):
    pass


class Broken(UpstreamError):
    pass


class UpstreamResponse:
    """The answer to one request. Await `head()`, then read status and headers, then `read()` until it gives b""."""

    def __init__(self, connection: UpstreamConnection, *, bodyless: bool) -> None:
        self.status = 0
        self.headers: Headers = []
        self.complete = False
        self.bodyless = bodyless
        self._connection = connection
        self._head: asyncio.Future[None] = connection.loop.create_future()
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Broken | None = None

    @property
    def started(self) -> bool:
        return self.status != 0

    @property
    def head_or_failure(self) -> asyncio.Future[None]:
        return self._head

    async def head(self) -> None:
        """Wait for status and headers. Raises Broken."""
        await self._head

    def arrived(self) -> bytes:
        """What has come of the body since the last call, without waiting."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        if self._buffered > _HIGH_WATER:
            self._connection.resume_reading()
        self._buffered = 0
        return data

    async def read(self) -> bytes:
        """The next bytes of the body; b"" only at its end. Raises Broken."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.complete:
                return b""
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        return self.arrived()

    # What follows is called by the connection.

    def began(self, status: int) -> None:
        self.status = status
        if not self._head.done():
            self._head.set_result(None)

    def received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > _HIGH_WATER:
            self._connection.pause_reading()
        self._wake()

    def ended(self) -> None:
        self.complete = True
        self._wake()

    def failed(self, reason: str) -> None:
        self._error = Broken(reason)
        if not self._head.done():
            self._head.set_exception(self._error)
            self._head.exception()  # marks it as seen: nobody may be waiting any more
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class UpstreamConnection(asyncio.Protocol):
    """Made by the pool. `send` starts an exchange; the connection may be used again once `reusable` says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_lost: Callable[[UpstreamConnection], None]) -> None:
        self.loop = loop
        self.idle_since = 0.0
        self.closed = False
        # False while a streamed request body has not been written to its end.
        self.request_sent = True
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._response: UpstreamResponse | None = None
        self._headers: Headers = []
        self._keep_alive = True
        self._until_close = True
        self._writable: asyncio.Future[None] | None = None

    @property
    def reusable(self) -> bool:
        response = self._response
        answered = response is not None and response.complete
        return answered and self.request_sent and self._keep_alive and not self.closed

    def send(self, data: bytes, *, bodyless: bool) -> UpstreamResponse:
        """Write a request's head, with its body where that is at hand. bodyless: a HEAD request. Raises NotSent."""
        if self.closed or self._transport is None:
            raise NotSent("connection was closed")
        self._response = UpstreamResponse(self, bodyless=bodyless)
        self._transport.write(data)
        return self._response

    async def write(self, data: bytes) -> None:
        """More of the request's body, waiting while the service does not read. Raises Broken."""
        if self.closed or self._transport is None:
            raise Broken("connection was closed")
        self._transport.write(data)
        if self._writable is not None:
            await asyncio.shield(self._writable)

    def release(self) -> None:
        """Forget the exchange: what arrives from here on was not asked for."""
        self._response = None

    def close(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._response is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("answer is not HTTP/1.1")

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        response = self._response
        if response is not None and not response.complete:
            if exc is None and response.started and self._until_close:
                response.ended()
            else:
                response.failed("connection ended before the answer")
        self.resume_writing()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._headers = []
        self._until_close = True
        if self._response is None or self._response.complete:
            self._keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._until_close = False
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        response = self._response
        if status < 200 or response is None or response.complete:
            return
        response.headers = self._headers
        response.began(status)
        if response.bodyless:
            # The parser expects the body that Content-Length announces and a HEAD answer does not have.
            self._keep_alive = False
            response.ended()

    def on_body(self, data: bytes) -> None:
        if self._response is not None and not self._response.complete:
            self._response.received(data)

    def on_message_complete(self) -> None:
        response = self._response
        if response is None or response.complete or not response.started:
            return
        self._keep_alive = self._keep_alive and bool(self._parser.should_keep_alive())
        response.ended()

    def _fail(self, reason: str) -> None:
        if self._response is not None and not self._response.complete:
            self._response.failed(reason)
        self._keep_alive = False
        self.close()
