"""The connections to one service: kept, reused last-in first-out, and never more than the limit."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.proxy.connection import Busy, NotSent, UpstreamConnection


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """From `http(s)://host[:port]`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("a service's address must be http(s)://host[:port]")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls)

    @property
    def authority(self) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}".encode()


class UpstreamPool:
    """connect_timeout: seconds to connect, and as long again to wait while all `max_connections` are in use.
    keep_idle: seconds after which an idle connection is not used again."""

    def __init__(self, address: Address, *, max_connections: int, connect_timeout: float, keep_idle: float) -> None:
        self.address = address
        self._connect_timeout = connect_timeout
        self._keep_idle = keep_idle
        self._slots = asyncio.Semaphore(max_connections)
        self._idle: deque[UpstreamConnection] = deque()
        self._tls = ssl.create_default_context() if address.tls else None

    async def acquire(self, *, fresh: bool = False) -> UpstreamConnection:
        """A connection, which must be released. fresh: not one that has been idle. Raises NotSent, or Busy."""
        if self._slots.locked():
            try:
                async with asyncio.timeout(self._connect_timeout):
                    await self._slots.acquire()
            except TimeoutError:
                raise Busy("no free connection") from None
        else:
            await self._slots.acquire()
        try:
            kept = None if fresh else self._kept()
            return kept if kept is not None else await self._connect()
        except BaseException:
            self._slots.release()
            raise

    def release(self, connection: UpstreamConnection, *, reuse: bool) -> None:
        self._slots.release()
        if reuse and connection.reusable:
            connection.release()
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)
            self._drop_stale(connection.idle_since)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> UpstreamConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and connection.loop.time() - connection.idle_since < self._keep_idle:
                return connection
            connection.close()
        return None

    def _drop_stale(self, now: float) -> None:
        while self._idle and now - self._idle[0].idle_since > self._keep_idle:
            self._idle.popleft().close()

    def _lost(self, connection: UpstreamConnection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    async def _connect(self) -> UpstreamConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(loop, self._lost), self.address.host, self.address.port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        return connection
