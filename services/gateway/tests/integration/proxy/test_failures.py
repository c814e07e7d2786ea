"""A service that is down, slow, broken or silent costs its own requests only; clients learn it in the error form."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytestmark = pytest.mark.integration

Answer = tuple[int, str]


@asynccontextmanager
async def tcp_server(handle: Any) -> AsyncIterator[str]:
    """A server of bytes: `handle(reader, writer)` per connection."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def says(data: bytes, *, then_wait: bool = False) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        if then_wait:
            await asyncio.sleep(30)

    return handle


async def ask(gateway: Any, method: str = "GET", path: str = "/api/v1/sales", **arguments: Any) -> Answer:
    answer = await gateway.client.request(method, path, headers=gateway.bearer(), **arguments)
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert body["requestId"] == answer.headers["x-request-id"]
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code, body["code"]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_a_service_that_is_down(start_gateway: Any) -> None:
    async with start_gateway(SALES_HTTP_URL=f"http://127.0.0.1:{closed_port()}") as gateway:
        for _ in range(8):  # the circuit opens on the way, and the answer stays the same
            assert await ask(gateway) == (503, "upstream_unavailable")
        assert await ask(gateway, "POST", json={}) == (503, "upstream_unavailable")
        others = await gateway.client.get("/api/v1/payments", headers=gateway.bearer())
        assert others.status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
async def test_an_answer_that_is_none(start_gateway: Any, data: bytes) -> None:
    async with tcp_server(says(data)) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        assert await ask(gateway) == (502, "bad_gateway")
        assert await ask(gateway, "POST", json={}) == (502, "bad_gateway")


async def test_a_service_that_does_not_answer_in_time(start_gateway: Any) -> None:
    async with (
        tcp_server(says(b"", then_wait=True)) as url,
        start_gateway(SALES_HTTP_URL=url, GATEWAY_UPSTREAM_TIMEOUT="0.3") as gateway,
    ):
        assert await ask(gateway) == (504, "upstream_timeout")
        assert await ask(gateway, "POST", json={}) == (504, "upstream_timeout")


async def test_the_circuit_opens_and_closes_again(start_gateway: Any) -> None:
    calls, healthy = 0, False

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        await reader.readuntil(b"\r\n\r\n")
        calls += 1
        if healthy:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        for _ in range(5):
            assert await ask(gateway, "POST", json={}) == (502, "bad_gateway")
        assert calls == 5
        assert await ask(gateway, "POST", json={}) == (503, "upstream_unavailable")
        assert calls == 5
        healthy = True
        async with asyncio.timeout(10):
            while (await gateway.client.get("/api/v1/sales", headers=gateway.bearer())).status_code != 204:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await gateway.client.get("/api/v1/sales", headers=gateway.bearer())).status_code == 204


async def test_a_service_that_was_down_is_tried_by_one_request_at_first(start_gateway: Any) -> None:
    calls, go_on = 0, asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        await reader.readuntil(b"\r\n\r\n")
        calls += 1
        if calls > 5:
            await go_on.wait()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        for _ in range(5):
            assert await ask(gateway, "POST", json={}) == (502, "bad_gateway")
        await asyncio.sleep(2.1)
        headers = gateway.bearer()
        many = [asyncio.create_task(gateway.client.post("/api/v1/sales", json={}, headers=headers)) for _ in range(10)]
        refused, _ = await asyncio.wait(many, timeout=1)
        assert [task.result().status_code for task in refused] == [503] * 9
        assert calls == 6
        go_on.set()
        assert sorted([task.status_code for task in await asyncio.gather(*many)]) == [204] + [503] * 9
        assert (await gateway.client.post("/api/v1/sales", json={}, headers=headers)).status_code == 204


async def test_connections_are_kept_for_as_long_as_a_service_that_ends_keeps_them(start_gateway: Any) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url, DRAIN_SECONDS="1") as gateway:
        headers = gateway.bearer()

        async def post() -> None:
            assert (await gateway.client.post("/api/v1/sales", json={}, headers=headers)).status_code == 204

        for _ in range(20):
            await post()
        assert connections == 1
        await asyncio.sleep(0.6)  # more than half of what a service drains for
        await post()
        assert connections == 2


async def test_an_answer_that_breaks_off_breaks_off_for_the_client_too(start_gateway: Any) -> None:
    for head in (b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"):
        async with tcp_server(says(b"HTTP/1.1 200 OK\r\n" + head)) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
            token = gateway.bearer()["authorization"]
            request = f"GET /api/v1/sales HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n\r\n"
            received = await gateway.raw(request.encode(), timeout=5)
            assert received.startswith(b"HTTP/1.1 200")
            assert b"half" in received
            assert not received.endswith(b"0\r\n\r\n")


async def test_a_body_without_length_ends_with_the_connection(start_gateway: Any) -> None:
    async with (
        tcp_server(says(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as url,
        start_gateway(SALES_HTTP_URL=url) as gateway,
    ):
        answer = await gateway.client.get("/api/v1/sales", headers=gateway.bearer())
        assert answer.text == "all of it"


async def test_interim_answers_are_not_the_answer(start_gateway: Any) -> None:
    data = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with tcp_server(says(data)) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        answer = await gateway.client.get("/api/v1/sales", headers=gateway.bearer())
        assert (answer.status_code, answer.text, answer.headers.get("link")) == (200, "ok", None)


async def test_a_second_answer_nobody_asked_for_is_not_given_to_the_next_client(start_gateway: Any) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            writer.write(answer + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            await writer.drain()

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        for _ in range(5):
            assert (await gateway.client.get("/api/v1/sales", headers=gateway.bearer())).text == "ok"


async def test_a_kept_connection_that_ended_is_no_failure_for_reads(start_gateway: Any) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        if connections == 1:  # keeps the connection, takes the next request, and dies on it
            await reader.readuntil(b"\r\n\r\n")
        else:
            await asyncio.sleep(5)

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        for _ in range(2):
            assert (await gateway.client.get("/api/v1/sales", headers=gateway.bearer())).text == "ok"
        assert connections == 2


async def test_a_write_that_may_have_arrived_is_never_sent_twice(start_gateway: Any) -> None:
    posts = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal posts
        await reader.readuntil(b"\r\n\r\n")
        posts += 1

    async with tcp_server(handle) as url, start_gateway(SALES_HTTP_URL=url) as gateway:
        assert await ask(gateway, "POST", json={}) == (502, "bad_gateway")
        assert posts == 1


async def test_when_all_connections_are_busy_the_next_request_is_told_so(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_UPSTREAM_CONNECTIONS="2", GATEWAY_UPSTREAM_CONNECT_TIMEOUT="0.2") as gateway:
        release, entered = asyncio.Event(), asyncio.Semaphore(0)

        async def hold(scope: Any, receive: Any, send: Any) -> None:
            entered.release()
            await release.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        gateway.services.on("/api/v1/sales/hold", hold)
        headers = gateway.bearer()
        holding = [asyncio.create_task(gateway.client.get("/api/v1/sales/hold", headers=headers)) for _ in range(2)]
        for _ in range(2):
            await entered.acquire()
        assert await ask(gateway) == (503, "upstream_unavailable")
        assert (await gateway.client.get("/api/v1/payments", headers=headers)).status_code == 200
        release.set()
        assert [(await task).status_code for task in holding] == [204, 204]
        assert (await gateway.client.get("/api/v1/sales", headers=headers)).status_code == 200


async def test_an_early_refusal_of_a_long_body_reaches_the_client(start_gateway: Any) -> None:
    answer = b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 2\r\n\r\nno"
    async with tcp_server(says(answer, then_wait=True)) as url, start_gateway(CATALOG_HTTP_URL=url) as gateway:
        got = await gateway.client.post("/api/v1/products/import", content=b"x" * (4 << 20), headers=gateway.bearer())
        assert (got.status_code, got.text) == (422, "no")


async def test_a_client_that_goes_away_leaves_nothing_behind(gateway: Any) -> None:
    token = gateway.bearer()["authorization"]
    head = f"POST /api/v1/sales/gone HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\nContent-Length: 100\r\n\r\nhalf"
    await gateway.raw(head.encode(), timeout=0.2)
    assert (await gateway.client.get("/api/v1/sales", headers=gateway.bearer())).status_code == 200
    assert gateway.services.count("/api/v1/sales/gone") == 0
