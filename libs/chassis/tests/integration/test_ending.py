"""How an HTTP server comes to an end: nobody who came in time is left without an answer."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from chassis.runtime.handover import READY, inherited_listener, notify
from chassis.runtime.http_server import HttpServer

pytestmark = pytest.mark.integration

HAND_OVER = 'LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec "$@" 3<&0'
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class App:
    """Answers at once, except `/slow` (when told to go on) and `/stream` (its beginning at once)."""

    def __init__(self) -> None:
        self.entered, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": []}
        if scope["path"] == "/stream":
            await send(start)
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if scope["path"] != "/":
            self.entered.set()
            await self.go_on.wait()
        if scope["path"] != "/stream":
            await send(start)
        await send({"type": "http.response.body", "body": b"last"})


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, path: bytes = b"/") -> bytes:
        """One whole answer, of a server that answers in chunks."""
        self.writer.write(GET.replace(b"/", path, 1))
        return await self.answer()

    async def answer(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"0\r\n\r\n"), 10)

    async def ended(self) -> bool:
        """Whether the server has closed the connection, without another byte."""
        return await asyncio.wait_for(self.reader.read(1), 5) == b""


@dataclass
class Served:
    server: HttpServer
    port: int
    task: asyncio.Task[None]
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def end(self) -> None:
        self.server.should_exit = True
        await asyncio.wait_for(self.task, 10)

    async def refuses(self) -> None:
        """Return once nobody can connect any more."""
        async with asyncio.timeout(5):
            while True:
                try:
                    await self.connect()
                except ConnectionError:
                    return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(app: App, *, pools_keep: float = 0.5) -> AsyncIterator[Served]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http="httptools", lifespan="off", log_config=None, loop="none", timeout_graceful_shutdown=5
    )
    server = HttpServer(config, pools_keep=pools_keep)
    served = Served(server, listener.getsockname()[1], asyncio.create_task(server.serve(sockets=[listener])))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.005)
    try:
        yield served
    finally:
        app.go_on.set()
        await served.end()
        for client in served.clients:
            client.writer.close()
            with suppress(ConnectionError):
                await client.writer.wait_closed()


async def test_a_lame_duck_serves_on_and_asks_everybody_to_go() -> None:
    app = App()
    async with serving(app) as served:
        kept, pending, late = [await served.connect() for _ in range(3)]
        assert b"connection" not in await kept.ask()
        slow = asyncio.create_task(pending.ask(b"/slow"))
        await app.entered.wait()
        served.server.be_lame_duck()
        app.go_on.set()
        for answer in (await kept.ask(), await slow, await late.ask(), await (await served.connect()).ask()):
            assert b"connection: close\r\n" in answer
        assert await kept.ended()
        assert await pending.ended()


async def test_what_is_under_way_is_answered_when_nobody_else_can_come() -> None:
    app = App()
    async with serving(app) as served:
        slow, stream, half, silent = [await served.connect() for _ in range(4)]
        for client, path in ((slow, b"/slow"), (stream, b"/stream")):
            client.writer.write(GET.replace(b"/", path, 1))
        await asyncio.wait_for(stream.reader.readuntil(b"first"), 5)
        half.writer.write(GET[:10])
        served.server.be_lame_duck()
        ending = asyncio.create_task(served.end())
        await served.refuses()
        half.writer.write(GET[10:])
        silent.writer.write(GET)
        assert b"last" in await half.answer()
        assert b"last" in await silent.answer()
        app.go_on.set()
        assert b"last" in await slow.answer()
        assert b"last" in await stream.answer()
        await ending


async def test_an_idle_connection_stays_until_its_pool_would_have_let_go_of_it() -> None:
    async with serving(App(), pools_keep=0.6) as served:
        busy, idle = await served.connect(), await served.connect()
        await busy.ask()
        await idle.ask()
        served.server.be_lame_duck()
        ending = asyncio.create_task(served.end())
        await served.refuses()
        assert b"connection: close" in await busy.ask()
        assert await idle.ended()
        await asyncio.wait_for(ending, 2)


async def test_in_a_hurry_nobody_waits_for_what_might_come() -> None:
    async with serving(App(), pools_keep=30) as served:
        kept, silent = await served.connect(), await served.connect()
        await kept.ask()
        served.server.hurry()
        await asyncio.wait_for(served.end(), 2)
        assert await kept.ended()
        assert await silent.ended()


def test_an_inherited_listener_is_found_by_the_process_it_is_for() -> None:
    """By a process that really has it as descriptor 3."""
    code = (
        "import os\n"
        "from chassis.runtime.handover import inherited_listener\n"
        "listener = inherited_listener()\n"
        "print(listener.getsockname()[1], inherited_listener(), os.environ.get('LISTEN_FDS'))"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = subprocess.run(
            ["sh", "-c", HAND_OVER, "sh", sys.executable, "-c", code],
            stdin=listener.fileno(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [str(listener.getsockname()[1]), "None", "None"]


def test_a_listener_for_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert inherited_listener() is None


@pytest.mark.parametrize("abstract", [False, True])
def test_readiness_is_told_to_whoever_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool) -> None:
    name = f"@cobro-{os.getpid()}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify(READY)
        assert manager.recv(100) == b"READY=1"
    notify(READY)  # nobody listens any more
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify(READY)
