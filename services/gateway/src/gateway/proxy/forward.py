"""A request to its service and the answer back: streamed both ways, bytes untouched, every wait bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from kernel import TooLarge
from starlette.types import Receive, Scope, Send

from gateway.edge.errors import ClientGone, GatewayError
from gateway.proxy.connection import Broken, NotSent, UpstreamConnection, UpstreamError, UpstreamResponse
from gateway.proxy.headers import SECURITY, Headers, Incoming, response_headers
from gateway.proxy.upstream import Upstream
from gateway.routing.table import Route

# Answered again safely when a kept connection ended under it.
_SAFE = frozenset({"GET", "HEAD"})
# Bodies up to this size, which are nearly all, are here before a connection to the service is taken.
_BUFFERED = 256 << 10
_BODY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. answer, slow_answer: until the service begins to answer. idle: without a byte of a body arriving.

    A client that does not read is the protocol's to drop (edge.protocol).
    """

    answer: float
    slow_answer: float
    idle: float


@dataclass(frozen=True, slots=True)
class Body:
    """first: what has arrived. rest: what is still to come, None when `first` is all. length: where announced."""

    first: bytes = b""
    rest: AsyncIterator[bytes] | None = None
    length: int | None = None


class Forwarder:
    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts

    async def forward(
        self,
        upstream: Upstream,
        route: Route,
        incoming: Incoming,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        request_headers: Sequence[tuple[bytes, bytes]],
        answer_headers: Headers,
    ) -> int:
        """Send the request on and the answer back; returns the status. The two header lists are the gateway's own.

        Raises GatewayError, TooLarge or ClientGone while nothing has been answered, Broken after that.
        """
        body = await self._body(incoming, receive, route.body_limit)
        head = _head(scope, upstream.address.authority, incoming.forward, request_headers, body)
        upstream.admit()
        try:
            connection, response = await self._exchange(upstream, route, scope["method"], head, body)
        except (UpstreamError, TimeoutError) as error:
            raise upstream.failed(error) from None
        except BaseException:
            upstream.abandoned()
            raise
        upstream.answered()
        whole = False
        try:
            await self._answer(response, send, answer_headers)
            whole = True
        finally:
            upstream.pool.release(connection, reuse=whole)
        return response.status

    async def _exchange(
        self, upstream: Upstream, route: Route, method: str, head: bytes, body: Body
    ) -> tuple[UpstreamConnection, UpstreamResponse]:
        """A connection and the answer begun on it. Raises UpstreamError, TimeoutError, or what `_body` does."""
        seconds = self._timeouts.slow_answer if route.slow else self._timeouts.answer
        for attempt in (1, 2):
            connection = await upstream.acquire(fresh=attempt == 2)
            try:
                response = connection.send(head + body.first, bodyless=method == "HEAD")
                if body.rest is not None:
                    await _pump(connection, response, body.rest)
                async with asyncio.timeout(seconds):
                    await response.head()
                return connection, response
            except UpstreamError as error:
                upstream.pool.release(connection, reuse=False)
                unsent = isinstance(error, NotSent) or (method in _SAFE and body.rest is None)
                if attempt == 2 or not unsent:
                    raise
            except BaseException:
                upstream.pool.release(connection, reuse=False)
                raise
        raise AssertionError("unreachable")

    async def _answer(self, response: UpstreamResponse, send: Send, own: Headers) -> None:
        headers = response_headers(response.headers, SECURITY) + own
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        while not response.complete:
            try:
                async with asyncio.timeout(self._timeouts.idle):
                    chunk = await response.read()
            except TimeoutError:
                raise Broken("the answer stalled") from None
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": response.arrived()})

    async def _body(self, incoming: Incoming, receive: Receive, limit: int) -> Body:
        """The body, or its beginning: a service's connection is not taken until this much of it is here, so that slow
        clients cannot take them all."""
        if not incoming.has_body:
            return Body(length=incoming.content_length)
        length = incoming.content_length
        if length is not None and length > limit:
            raise TooLarge(f"The body is larger than {limit} bytes")
        pieces = self._pieces(receive, limit)
        first = bytearray()
        async for piece in pieces:
            first += piece
            if len(first) >= _BUFFERED:
                break
        else:
            return Body(bytes(first), None, len(first))
        if length is not None:
            return Body(bytes(first), pieces, length)
        return Body(_chunk(first), _chunked(pieces), None)

    async def _pieces(self, receive: Receive, limit: int) -> AsyncIterator[bytes]:
        deadline = asyncio.get_running_loop().time() + _BODY_SECONDS
        seen, more = 0, True
        while more:
            message = await self._received(receive, deadline)
            data: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            seen += len(data)
            if seen > limit:
                raise TooLarge(f"The body is larger than {limit} bytes")
            yield data

    async def _received(self, receive: Receive, deadline: float) -> dict[str, Any]:
        idle = asyncio.get_running_loop().time() + self._timeouts.idle
        try:
            async with asyncio.timeout_at(min(idle, deadline)):
                message = await receive()
        except TimeoutError:
            close = ((b"connection", b"close"),)
            raise GatewayError(408, "The body did not arrive in time", "request_timeout", headers=close) from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        return dict(message)


async def _pump(connection: UpstreamConnection, response: UpstreamResponse, rest: AsyncIterator[bytes]) -> None:
    """The rest of the body, unless the service answers before it has come."""
    connection.request_sent = False

    async def write_all() -> None:
        async for data in rest:
            await connection.write(data)
        connection.request_sent = True

    pump = asyncio.create_task(write_all())
    try:
        await asyncio.wait({pump, response.head_or_failure}, return_when=asyncio.FIRST_COMPLETED)
        if pump.done() and not response.head_or_failure.done():
            pump.result()
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _chunked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        if piece:
            yield _chunk(piece)
    yield b"0\r\n\r\n"


def _head(scope: Scope, authority: bytes, forward: Headers, own: Sequence[tuple[bytes, bytes]], body: Body) -> bytes:
    target = scope["raw_path"]
    if scope["query_string"]:
        target = b"%b?%b" % (target, scope["query_string"])
    lines = [b"%b %b HTTP/1.1\r\nhost: %b" % (scope["method"].encode(), target, authority)]
    lines += [b"%b: %b" % header for header in forward]
    lines += [b"%b: %b" % header for header in own]
    if body.length is not None:
        lines.append(b"content-length: %d" % body.length)
    elif body.rest is not None:
        lines.append(b"transfer-encoding: chunked")
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def _chunk(data: bytes | bytearray) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), bytes(data))
