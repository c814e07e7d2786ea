"""Bytes on a socket: what is no HTTP/1.1, too large or too slow is refused in the error form and reaches no service."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest
from gateway.edge.protocol import EdgeProtocol

pytestmark = pytest.mark.integration

PATH = "/webhooks/smuggled"
LINE = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n".encode()
HIDDEN = b"GET /webhooks/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"

SMUGGLING = {
    "length and chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "two different lengths": b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    "list of lengths": b"Content-Length: 5, 5\r\n\r\nhello",
    "signed length": b"Content-Length: +5\r\n\r\nhello",
    "negative length": b"Content-Length: -5\r\n\r\nhello",
    "hexadecimal length": b"Content-Length: 0x5\r\n\r\nhello",
    "huge length": b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "folded header": b"X-A: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding list": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "bad chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
    "NUL in a value": b"X-A: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    "carriage return in a value": b"X-A: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "no name": b": a\r\nContent-Length: 5\r\n\r\nhello",
    "space in a name": b"X A: a\r\nContent-Length: 5\r\n\r\nhello",
    "two hosts": b"Host: other\r\nContent-Length: 5\r\n\r\nhello",
}


def parts(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), orjson.loads(body) if body else {}


@pytest.mark.parametrize("name", SMUGGLING)
async def test_smuggling_shapes_are_refused(gateway: Any, name: str) -> None:
    received = await gateway.raw(LINE + SMUGGLING[name], timeout=1)
    status, body = parts(received)
    assert status == 400
    assert (body["statusCode"], body["errors"]) == (400, [])
    assert f"x-request-id: {body['requestId']}\r\n".encode() in received
    assert received.count(b"HTTP/1.1 ") == 1
    for header in (b"x-content-type-options: nosniff", b"frame-ancestors 'none'", b"referrer-policy: no-referrer"):
        assert header in received
    assert gateway.services.count(PATH) == gateway.services.count("/webhooks/hidden") == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"BREW /api/v1/sales HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_in_the_error_form(gateway: Any, data: bytes) -> None:
    status, body = parts(await gateway.raw(data, timeout=1))
    assert status == body["statusCode"] == 400


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
async def test_methods_the_api_does_not_have(gateway: Any, method: str) -> None:
    target = "localhost:80" if method == "CONNECT" else "/api/v1/sales"
    received = await gateway.raw(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), timeout=1)
    assert parts(received)[0] in {400, 405}


async def test_an_absolute_target_reaches_our_services_only(gateway: Any) -> None:
    data = b"POST http://evil.example/webhooks/absolute HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n"
    status, _ = parts(await gateway.raw(data + b"Content-Length: 2\r\n\r\n{}"))
    assert status == 200
    assert "evil" not in str(gateway.services.last("/webhooks/absolute").headers)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 9000), 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: %s\r\n\r\n" % (b"a" * 40_000), 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n%s\r\n" % (b"X-A: 1\r\n" * 200), 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: %s" % (b"a" * 70_000), 431),
    ],
)
async def test_heads_are_limited(gateway: Any, head: bytes, status: int) -> None:
    got, body = parts(await gateway.raw(head, timeout=2))
    assert got == body["statusCode"] == status


@pytest.mark.parametrize("framing", ["announced", "chunked"])
async def test_bodies_are_limited(gateway: Any, framing: str) -> None:
    body = b"x" * (2 << 20)

    async def pieces() -> Any:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    content = body if framing == "announced" else pieces()
    answer = await gateway.client.post("/api/v1/sales/big", content=content, headers=gateway.bearer())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    webhook = await gateway.client.post("/webhooks/big", content=b"x" * (300 << 10))
    assert webhook.status_code == 413
    assert gateway.services.count("/api/v1/sales/big") == gateway.services.count("/webhooks/big") == 0


async def test_pipelined_requests_are_answered_in_order(gateway: Any) -> None:
    one = b"POST /webhooks/pipe-%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n%s\r\n{}"
    received = await gateway.raw(one % (1, b"") + one % (2, b"") + one % (3, b"Connection: close\r\n"))
    assert [received.index(b"pipe-%d" % number) for number in (1, 2, 3)] == sorted(
        received.index(b"pipe-%d" % number) for number in (1, 2, 3)
    )
    assert received.count(b"HTTP/1.1 200") == 3


async def test_http_1_0_is_answered_and_closed(gateway: Any) -> None:
    received = await gateway.raw(b"GET /health/live HTTP/1.0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200")


async def test_expect_100_continue(gateway: Any) -> None:
    head = b"POST /webhooks/expect HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
    received = await gateway.raw(head + b"Content-Length: 2\r\n\r\n{}")
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


async def test_websockets_are_not_spoken(gateway: Any) -> None:
    data = b"GET /api/v1/sales HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    status, _ = parts(await gateway.raw(data, timeout=1))
    assert 400 <= status < 500


class Impatient(EdgeProtocol):
    head_timeout = 0.3
    stall_timeout = 0.5


@pytest.fixture(scope="module")
async def impatient(start_gateway: Any) -> Any:
    async with start_gateway(Impatient, GATEWAY_CLIENT_IDLE_TIMEOUT="0.4") as running:
        yield running


async def test_a_client_that_says_nothing_is_dropped(impatient: Any) -> None:
    started = time.monotonic()
    assert await impatient.raw(b"", timeout=5) == b""
    assert time.monotonic() - started < 3


async def test_a_head_that_trickles_in_is_given_up(impatient: Any) -> None:
    status, body = parts(await impatient.raw(b"GET /health HTTP/1.1\r\nHost: a\r\nX-", timeout=5))
    assert (status, body["code"]) == (408, "request_timeout")


async def test_a_body_that_stalls_is_given_up_and_reaches_no_service(impatient: Any) -> None:
    data = b"POST /webhooks/stalled HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"
    status, body = parts(await impatient.raw(data, timeout=5))
    assert (status, body["code"]) == (408, "request_timeout")
    assert impatient.services.count("/webhooks/stalled") == 0


async def test_a_client_that_does_not_read_its_answer_is_dropped(impatient: Any) -> None:
    sent = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2000):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        sent.set()

    impatient.services.on("/webhooks/endless", endless)
    _, writer = await asyncio.open_connection("127.0.0.1", impatient.port, limit=1024)
    try:
        writer.write(b"POST /webhooks/endless HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        transport: Any = writer.transport
        transport.pause_reading()
        # The service gets rid of its answer, because the gateway has stopped waiting for the client.
        await asyncio.wait_for(sent.wait(), 20)
    finally:
        writer.transport.abort()
