"""Whether a server answers in its own protocol, not merely listens."""

import socket
import ssl
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import asyncpg

from stack import blocking
from stack.errors import StackError
from stack.infra.server import Kind, Server

_DEFAULT_PORTS = {Kind.POSTGRES: 5432, Kind.RABBITMQ: 5672, Kind.REDIS: 6379}
_ATTEMPT_SECONDS = 3.0


def wait_until_ready(servers: Iterable[Server], *, timeout: float = 90.0) -> None:
    """Return when each server answers; StackError when one ended by itself or the time is over."""
    deadline = time.monotonic() + timeout
    for server in servers:
        while (problem := probe(server.kind, server.url)) is not None:
            server.check_alive()
            if time.monotonic() >= deadline:
                raise StackError(f"{server.kind} did not answer within {timeout:.0f} s: {problem}")
            time.sleep(0.1)


def probe(kind: Kind, url: str) -> str | None:
    """None when the server answers; otherwise what went wrong, in one line and without credentials."""
    try:
        match kind:
            case Kind.POSTGRES:
                blocking.run(_ask_postgres(url))
            case Kind.RABBITMQ:
                # The listener opens at the very end of the boot, after the default user exists.
                _ask(kind, url, b"AMQP\x00\x00\x09\x01", expected=(b"\x01\x00\x00",))
            case Kind.REDIS:
                _ask(kind, url, b"PING\r\n", expected=(b"+PONG", b"-NOAUTH"))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return None


async def _ask_postgres(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=_ATTEMPT_SECONDS)
    try:
        await connection.fetchval("SELECT 1", timeout=_ATTEMPT_SECONDS)
    finally:
        await connection.close(timeout=_ATTEMPT_SECONDS)


def _ask(kind: Kind, url: str, question: bytes, *, expected: tuple[bytes, ...]) -> None:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORTS[kind])
    with socket.create_connection(address, timeout=_ATTEMPT_SECONDS) as plain:
        if parts.scheme in {"amqps", "rediss"}:
            with ssl.create_default_context().wrap_socket(plain, server_hostname=address[0]) as secure:
                answer = _exchange(secure, question)
        else:
            answer = _exchange(plain, question)
    if not answer.startswith(expected):
        raise ConnectionError(f"unexpected answer {answer[:40]!r}")


def _exchange(connection: socket.socket, question: bytes) -> bytes:
    connection.sendall(question)
    return connection.recv(64)
