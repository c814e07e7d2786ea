"""The merged document follows the services that come and go."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import orjson
import pytest
from gateway.openapi.service import MergedOpenApi
from gateway.proxy.upstream import Upstream

pytestmark = pytest.mark.integration

PATHS = {"sales": "/api/v1/sales", "catalog": "/api/v1/products"}


def document(path: str) -> bytes:
    operation = {"responses": {"200": {"description": "ok"}}}
    return orjson.dumps({"openapi": "3.1.0", "paths": {path: {"get": operation}}})


async def serve(port: int, body: bytes) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_it_is_made_again_when_a_service_appears_or_leaves() -> None:
    ports = {name: free_port() for name in PATHS}
    upstreams = {
        name: Upstream(name, f"http://127.0.0.1:{port}", max_connections=5, connect_timeout=1, keep_idle=1)
        for name, port in ports.items()
    }
    merged = MergedOpenApi(upstreams, fresh_for=0)
    servers: dict[str, Any] = {}

    async def shows(*names: str) -> None:
        wanted = {"/health", *(PATHS[name] for name in names)}
        async with asyncio.timeout(10):
            while set(orjson.loads((await merged.get()).body)["paths"]) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    try:
        servers["sales"] = await serve(ports["sales"], document(PATHS["sales"]))
        await shows("sales")
        first = (await merged.get()).etag
        servers["catalog"] = await serve(ports["catalog"], document(PATHS["catalog"]))
        await shows("sales", "catalog")
        assert (await merged.get()).etag != first
        servers.pop("sales").close()
        await shows("catalog")
    finally:
        for server in servers.values():
            server.close()
        for upstream in upstreams.values():
            upstream.close()


async def test_an_old_document_serves_while_the_next_is_being_made() -> None:
    port, asked = free_port(), 0
    go_on = asyncio.Event()
    go_on.set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        body = document(PATHS["sales"])
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    upstream = Upstream("sales", f"http://127.0.0.1:{port}", max_connections=5, connect_timeout=1, keep_idle=1)
    try:
        merged = MergedOpenApi({"sales": upstream}, fresh_for=0)
        first = await merged.get()
        go_on.clear()
        assert {(await merged.get()).etag for _ in range(20)} == {first.etag}
        async with asyncio.timeout(5):
            while asked < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert asked == 2  # once for all of them
        go_on.set()
    finally:
        server.close()
        upstream.close()
