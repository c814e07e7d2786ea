"""A rolling restart under load: no request fails, no connection breaks, and nobody has to send anything again.

The load is sent by a client of bytes that keeps its connections and, unlike usual ones, sends nothing again by itself.
"""

import asyncio
import json
import signal
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from stack.countries import shop_of
from stack.errors import StackError
from stack.suite import Suite

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

UNLIMITED = {f"GATEWAY_LIMIT_{name}": "600000/60:100000" for name in ("PUBLIC", "LOGIN", "API", "BUSINESS")}
SHOP = shop_of("MX")
PASSWORD = "correcto caballo bateria"


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with Suite(services=["auth", "gateway"], environment={"AUTH_BCRYPT_COST": "4", **UNLIMITED}) as running:
        yield running


class Broken(Exception):
    """The connection ended under a request."""


class Connection:
    """One kept connection at a time, made again only where the last answer asked for it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, *, token: str = "", body: object = None, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status and body. Raises Broken."""
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        head += ["Content-Type: application/json"] if content else []
        head += [f"Authorization: Bearer {token}"] if token else []
        head += [f"Idempotency-Key: {key}"] if key else []
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write("\r\n".join([*head, "", ""]).encode() + content)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
            received = await reader.readexactly(length)
        except (OSError, EOFError) as error:
            await self.close()
            raise Broken(f"{method} {path}: {type(error).__name__} {error}") from error
        if "connection: close" in answer:
            await self.close()
        return int(answer.split()[1]), json.loads(received)

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


Work = Callable[["Load", Connection], Coroutine[Any, Any, None]]


@dataclass
class Load:
    """Workers in a thread of their own, until `end`. failures: what no client should have seen."""

    port: int
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def expect(self, what: str, status: int, wanted: int, body: object) -> None:
        self.done[what] += 1
        if status != wanted:
            self.failures.append(f"{what}: {status} {body}")

    async def run(self, *work: Work) -> None:
        async def keep_on(one: Work) -> None:
            async with self.connection() as connection:
                try:
                    await one(self, connection)
                except Broken as error:
                    self.failures.append(str(error))

        await asyncio.gather(*map(keep_on, work))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = Connection(self.port)
        try:
            yield connection
        finally:
            await connection.close()


async def register(connection: Connection) -> dict[str, Any]:
    person = {"phone": SHOP.phone(), "password": PASSWORD, "firstName": "Rosa"}
    status, answer = await connection.ask("POST", "/api/v1/auth/register", body=person, key=str(uuid.uuid4()))
    assert status == 201, answer
    return {**answer["data"], "phone": person["phone"]}


async def read(load: Load, connection: Connection) -> None:
    account = await register(connection)
    while not load.end.is_set():
        status, body = await connection.ask("GET", "/api/v1/auth/me", token=account["accessToken"])
        load.expect("read", status, 200, body)


async def now_and_then(load: Load, connection: Connection) -> None:
    """A client whose connection is idle for longer than its next request takes."""
    account = await register(connection)
    while not load.end.is_set():
        status, body = await connection.ask("GET", "/api/v1/auth/me", token=account["accessToken"])
        load.expect("read now and then", status, 200, body)
        await asyncio.sleep(0.7)


async def refresh(load: Load, connection: Connection) -> None:
    """Each refresh token is good once: an answer that got lost would end the whole session."""
    account = await register(connection)
    token = account["refreshToken"]
    while not load.end.is_set():
        key = str(uuid.uuid4())
        status, body = await connection.ask("POST", "/api/v1/auth/refresh", body={"refreshToken": token}, key=key)
        load.expect("refresh", status, 200, body)
        if status != 200:
            return
        token = body["data"]["refreshToken"]


async def log_in(load: Load, connection: Connection) -> None:
    account = await register(connection)
    person = {"phone": account["phone"], "password": PASSWORD}
    while not load.end.is_set():
        key = str(uuid.uuid4())
        status, body = await connection.ask("POST", "/api/v1/auth/login", body=person, key=key)
        load.expect("log in", status, 200, body)
        await asyncio.sleep(0.05)


async def write(load: Load, connection: Connection) -> None:
    """What was answered is there once, and nothing else is."""
    token = (await register(connection))["accessToken"]
    status, body = await connection.ask(
        "POST", "/api/v1/businesses", token=token, body=SHOP.business(), key=str(uuid.uuid4())
    )
    assert status == 201, body
    branches = f"/api/v1/businesses/{body['data']['id']}/branches"
    _, before = await connection.ask("GET", branches, token=token)
    written = 0
    while not load.end.is_set():
        branch = {"name": f"Sucursal {written}", "address": "Juárez 1", "city": "Puebla"}
        status, body = await connection.ask("POST", branches, token=token, body=branch, key=str(uuid.uuid4()))
        load.expect("write", status, 201, body)
        written += 1
        await asyncio.sleep(0.02)
    _, after = await connection.ask("GET", branches, token=token)
    assert after["meta"]["total"] - before["meta"]["total"] == written


def test_services_are_replaced_under_load_and_no_request_fails(suite: Suite) -> None:
    load = Load(suite.addresses.http["gateway"])
    work = (read, read, read, read, now_and_then, now_and_then, refresh, refresh, log_in, write)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(load.run(*work))
        except BaseException as error:  # noqa: BLE001 - shown by the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    pids = {name: suite.pid(name) for name in ("auth", "gateway")}
    try:
        for name in ("auth", "gateway", "auth", "gateway"):
            before = load.done.total()
            suite.roll_out(name)
            assert load.done.total() > before + 50
    finally:
        load.end.set()
        thread.join()
    assert not errors, errors
    assert not load.failures, f"{len(load.failures)} of {load.done.total()}: {load.failures[:10]}"
    assert set(load.done) == {"read", "read now and then", "refresh", "log in", "write"}
    assert all(suite.pid(name) not in (None, pid) for name, pid in pids.items())
    assert suite.restarts("auth") == suite.restarts("gateway") == 0


def test_a_process_that_does_not_become_ready_replaces_nobody(suite: Suite) -> None:
    pid = suite.pid("auth")
    suite.stop_postgres()
    try:
        with pytest.raises(StackError, match="auth was not rolled out"):
            suite.roll_out("auth", timeout=3)
    finally:
        suite.start_postgres()
    assert suite.pid("auth") == pid
    suite.wait_until_ready(["auth"])


def test_a_stopped_service_refuses_its_callers_at_once(suite: Suite) -> None:
    """Nobody waits at a socket that is open for a process that is not there."""
    for number in (signal.SIGKILL, signal.SIGINT):
        suite.kill("auth", number)
        deadline = asyncio.run(_refused(suite.addresses.http["auth"]))
        assert deadline
        suite.start("auth")


async def _refused(port: int) -> bool:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return True
            writer.close()
            await asyncio.sleep(0.05)
