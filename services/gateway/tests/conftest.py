"""A gateway on a real port, in front of one small server that stands for all services, with real Redis."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from chassis.auth import Principal
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.runtime.kit import Kit
from chassis.settings import load
from chassis.testing.service import COMMON
from chassis.testing.tokens import TokenFactory, make_principal
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from gateway.app import build
from gateway.edge.protocol import EdgeProtocol
from gateway.routing.table import UPSTREAMS
from gateway.settings import GatewaySettings

Handler = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass
class Seen:
    """A request as the service behind got it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


@dataclass
class Services:
    """Stands for every service. `on(path, handler)` answers a path with an ASGI handler; the rest is echoed."""

    tokens: TokenFactory
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    def on(self, path: str, handler: Handler) -> None:
        self.handlers[path] = handler

    def last(self, path: str) -> Seen:
        return next(item for item in reversed(self.seen) if item.target.partition("?")[0] == path)

    def count(self, path: str) -> int:
        return sum(item.target.partition("?")[0] == path for item in self.seen)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path in self.handlers:
            await self.handlers[path](scope, receive, send)
            return
        if path == "/.well-known/jwks.json":
            key = {**self.tokens.key.as_dict(private=False), "kid": self.tokens.kid}
            await answer(send, 200, orjson.dumps({"keys": [key]}))
            return
        body = await read_all(receive)
        if body is None:
            return
        target = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        self.seen.append(Seen(scope["method"], target, headers, body))
        await answer(send, 200, orjson.dumps({"path": path, "size": len(body)}))


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    given = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})


async def read_all(receive: Any) -> bytes | None:
    """None when the body breaks off."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


class FakeSessions(directory_pb2_grpc.SessionsServicer):
    """auth's Sessions: every session is active unless ended. valid_from: unix microseconds, by session."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.valid_from: dict[str, int] = {}
        self.asked: list[str] = []

    async def CheckSession(self, request: Any, context: Any) -> Any:
        self.asked.append(request.session_id)
        return directory_pb2.CheckSessionResponse(
            active=request.session_id not in self.ended, valid_from_us=self.valid_from.get(request.session_id, 0)
        )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, *, http: Any = "httptools", port: int = 0, keep_alive: int = 75) -> AsyncIterator[int]:
    """An ASGI application on a port, by uvicorn."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        http=http,
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


@dataclass
class GatewayUnderTest:
    client: httpx.AsyncClient
    port: int
    services: Services
    sessions: FakeSessions
    tokens: TokenFactory
    kit: Kit[Any]

    def bearer(self, principal: Principal | None = None, **claims: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens.issue(principal or make_principal(), **claims)}"}

    async def raw(self, data: bytes, *, timeout: float = 5, half_close: bool = False) -> bytes:
        """Send bytes as they are; everything that comes back until the gateway closes, or `timeout`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        try:
            writer.write(data)
            if half_close:
                writer.write_eof()
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(timeout):
                    while chunk := await reader.read(65536):
                        received += chunk
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        return received


Start = Callable[..., Any]


@pytest.fixture(scope="session")
def start_gateway() -> Start:
    """`async with start_gateway(GATEWAY_…="…") as gateway`: a gateway of one's own with these settings."""

    @asynccontextmanager
    async def start(protocol: type[EdgeProtocol] = EdgeProtocol, **environment: str) -> AsyncIterator[GatewayUnderTest]:
        tokens = TokenFactory()
        services, sessions = Services(tokens), FakeSessions()
        identity = ServiceIdentity("auth", COMMON["SERVICE_AUTH_SECRET"])
        full_name = directory_pb2.DESCRIPTOR.services_by_name["Sessions"].full_name
        rpc = RpcServer(
            "auth",
            [RpcService(full_name, directory_pb2_grpc.add_SessionsServicer_to_server, sessions)],
            identity,
        )
        grpc_port = await rpc.start("127.0.0.1:0")
        async with serving(services) as port:
            services.url = f"http://127.0.0.1:{port}"
            variables = {
                **COMMON,
                "REDIS_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:1"),
                "RABBITMQ_URL": "amqp://127.0.0.1:1",
                "JWKS_URL": f"{services.url}/.well-known/jwks.json",
                "AUTH_GRPC_TARGET": f"127.0.0.1:{grpc_port}",
                "GATEWAY_HTTP_PORT": "1",
                **{f"{name.upper()}_HTTP_URL": services.url for name in UPSTREAMS},
                # The tests of limits set their own.
                **{
                    f"GATEWAY_LIMIT_{name}": "100000/1:100000"
                    for name in ("PUBLIC", "LOGIN", "CODES", "WEBHOOKS", "API", "BUSINESS")
                },
                **environment,
            }
            with pytest.MonkeyPatch.context() as patch:
                for name, value in variables.items():
                    patch.setenv(name, value)
                kit = Kit("gateway", load(GatewaySettings))
            service = await build(kit)
            async with (
                serving(service.asgi, http=protocol) as gateway_port,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway_port}", timeout=20) as client,
            ):
                yield GatewayUnderTest(client, gateway_port, services, sessions, tokens, kit)
        await kit.close()
        await rpc.stop(0)

    return start


@pytest.fixture(scope="session")
async def gateway(start_gateway: Start) -> AsyncIterator[GatewayUnderTest]:
    """The gateway that most tests share, with limits nobody reaches."""
    async with start_gateway() as running:
        yield running
