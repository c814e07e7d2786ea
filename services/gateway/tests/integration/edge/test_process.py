"""The real process: it starts from the environment alone, and ends without cutting off an answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import Any

import httpx
import orjson
import pytest
from chassis.testing.service import COMMON
from gateway.routing.table import UPSTREAMS

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_it_serves_and_drains(gateway: Any) -> None:
    services, port = gateway.services, free_port()
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})

    services.on("/webhooks/slow", slow)
    environment = {
        **os.environ,
        **COMMON,
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "RABBITMQ_URL": "amqp://127.0.0.1:1",
        "JWKS_URL": f"{services.url}/.well-known/jwks.json",
        "AUTH_GRPC_TARGET": gateway.kit.settings.peers.auth_grpc_target,
        "GATEWAY_HTTP_PORT": str(port),
        **{f"{name.upper()}_HTTP_URL": services.url for name in UPSTREAMS},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "all", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            await _until_live(client)
            answer = await client.get("/api/v1/sales/process", headers=gateway.bearer())
            assert answer.status_code == 200
            pending = asyncio.create_task(client.post("/webhooks/slow", content=b"secret-body"))
            await asyncio.wait_for(entered.wait(), 10)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as kept:
                assert "connection" not in (await kept.get("/health/live")).headers
                process.send_signal(signal.SIGTERM)
                await _until_unready(port)
                # The lame duck: it serves on, and asks everybody to connect elsewhere.
                for other in (kept, client):
                    answer = await other.get("/health/live")
                    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
                last = await client.get("/api/v1/sales/last", headers=gateway.bearer())
                assert (last.status_code, last.headers["connection"]) == (200, "close")
            await _until_refused(port)
            go_on.set()
            assert (await pending).text == "done"
        output, _ = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = [orjson.loads(line) for line in output.splitlines()]
    access = [line for line in lines if line["event"] == "http.request"]
    assert [(line["method"], line["route"], line["upstream"], line["status"]) for line in access] == [
        ("GET", "/sales", "sales", 200),
        ("GET", "/sales", "sales", 200),
        ("POST", "/webhooks", "webhooks", 200),
    ]
    assert all(line["request_id"] and len(line["trace_id"]) == 32 for line in access)
    for secret in (b"127.0.0.1", b"secret-body", b"eyJ", b'process"', b"/slow"):
        assert secret not in b"\n".join(line for line in output.splitlines() if b"http.request" in line)


async def _until_live(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/health/live")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def _until_unready(port: int) -> None:
    async with asyncio.timeout(10), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            answer = await client.get("/health/ready")
            if answer.status_code == 503:
                assert answer.json() == {
                    "status": "unavailable",
                    "service": "gateway",
                    "checks": {"accepting": False, "redis": True},
                }
                return
            await asyncio.sleep(0.02)


async def _until_refused(port: int) -> None:
    """The listener is closed, while the connection with the answer that is due stays."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            except ConnectionError:  # taken into the queue a moment before the listener closed
                continue
            writer.close()
