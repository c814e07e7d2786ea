"""Redis on one connection with all commands in flight at once, each bounded by a quarter second.

A pool hands a connection to each command and waits for its answer; here a command costs a tenth of that, which matters
where every request of the suite passes. Addresses, credentials and TLS are read from the URL as redis-py reads them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection, parse_url

CALL_TIMEOUT: Final = 0.25
_RETRY_AFTER: Final = 0.5

Argument = str | bytes | int | float
Waiting = asyncio.Future[Any]


class StoreDown(Exception):
    """Redis did not answer in time, or has not a moment ago."""


class ReplyError(Exception):
    """Redis refused the command."""


class _Connection(asyncio.Protocol):
    """Answers come in the order of the commands (RESP2)."""

    def __init__(self) -> None:
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=ReplyError)
        self._transport: asyncio.Transport | None = None
        self._pending: deque[tuple[float, Waiting]] = deque()
        self._outgoing: list[bytes] = []
        self._watch: asyncio.TimerHandle | None = None

    def send(self, command: Sequence[Argument]) -> Waiting:
        waiting = self._loop.create_future()
        if self.closed or self._transport is None:
            waiting.set_exception(StoreDown("connection was closed"))
            return waiting
        packed: tuple[Any, ...] = tuple(command)
        self._pending.append((self._loop.time(), waiting))
        # Commands of the same turn of the loop leave in one write: the system call is what costs.
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(hiredis.pack_command(packed))
        if self._watch is None:
            self._watch = self._loop.call_later(CALL_TIMEOUT, self._look)
        return waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._fail("closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                _, waiting = self._pending.popleft()
                if waiting.done():  # its request was cancelled
                    continue
                if isinstance(reply, ReplyError):
                    waiting.set_exception(reply)
                else:
                    waiting.set_result(reply)
        except (hiredis.ProtocolError, IndexError):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("connection lost")

    def _flush(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _look(self) -> None:
        """One timer for all commands: the oldest is the one that is late."""
        self._watch = None
        if not self._pending:
            return
        left = self._pending[0][0] + CALL_TIMEOUT - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self.close()

    def _fail(self, reason: str) -> None:
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._pending:
            _, waiting = self._pending.popleft()
            if not waiting.done():
                waiting.set_exception(StoreDown(reason))


class RedisLink:
    """Connects on first use, and again by itself. `prepare` is a command that each new connection begins with."""

    def __init__(self, url: str, *, prepare: Sequence[Argument]) -> None:
        self._options = parse_url(url)
        self._prepare = prepare
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[_Connection] | None = None
        self._failed_at = float("-inf")

    async def execute(self, *command: Argument) -> Any:
        """The answer, strings as bytes. Raises StoreDown, or ReplyError."""
        connection = self._connection
        if connection is None or connection.closed:
            connection = await self._reconnected()
        return await connection.send(command)

    async def ping(self) -> bool:
        try:
            return bool(await self.execute("PING") == b"PONG")
        except (StoreDown, ReplyError):
            return False

    async def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()

    async def _reconnected(self) -> _Connection:
        if self._connecting is None:
            if time.monotonic() - self._failed_at < _RETRY_AFTER:
                raise StoreDown("not connected")
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        if self._failed_at != float("-inf"):
            # While Redis is known to be down nobody waits to learn that it still is.
            raise StoreDown("not connected")
        return await asyncio.shield(self._connecting)

    def _connected(self, task: asyncio.Task[_Connection]) -> None:
        self._connecting = None
        if task.cancelled() or task.exception() is not None:
            self._failed_at = time.monotonic()
        else:
            self._failed_at = float("-inf")
            self._connection = task.result()

    async def _connect(self) -> _Connection:
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                connection = await self._open()
                for command in self._greeting():
                    await connection.send(command)
            return connection
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, OSError | TimeoutError | ReplyError):
                raise StoreDown(type(error).__name__) from None
            raise

    async def _open(self) -> _Connection:
        loop, options = asyncio.get_running_loop(), self._options
        kind = options.get("connection_class")
        if kind is UnixDomainSocketConnection:
            _, connection = await loop.create_unix_connection(_Connection, options["path"])
            return connection
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        _, connection = await loop.create_connection(
            _Connection, host, port, ssl=True if kind is SSLConnection else None
        )
        return connection

    def _greeting(self) -> list[Sequence[Argument]]:
        options = self._options
        commands: list[Sequence[Argument]] = []
        if "password" in options:
            user = (options["username"],) if "username" in options else ()
            commands.append(("AUTH", *user, options["password"]))
        if options.get("db"):
            commands.append(("SELECT", options["db"]))
        return [*commands, self._prepare]
