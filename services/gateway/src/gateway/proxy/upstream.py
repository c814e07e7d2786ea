"""One service as the gateway sees it: its connections, its circuit breaker, its failures as answers to clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from chassis.outbound import CircuitBreaker
from prometheus_client import Counter

from gateway.edge.errors import GatewayError
from gateway.proxy.connection import Broken, Busy, NotSent, UpstreamConnection, UpstreamError
from gateway.proxy.pool import Address, UpstreamPool

_failures = Counter("cobro_gateway_upstream_failures_total", "Requests a service did not answer", ["upstream", "kind"])

_FAILURES_TO_OPEN = 5
_OPEN_SECONDS = 2.0
_FETCH_LIMIT = 8 << 20


def unavailable(name: str, retry_after: int = 2) -> GatewayError:
    return GatewayError(503, f"The {name} service is not available", "upstream_unavailable", retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    body: bytes


class Upstream:
    def __init__(
        self,
        name: str,
        url: str,
        *,
        max_connections: int,
        connect_timeout: float,
        keep_idle: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.address = Address.parse(url)
        self.pool = UpstreamPool(
            self.address, max_connections=max_connections, connect_timeout=connect_timeout, keep_idle=keep_idle
        )
        self._breaker = CircuitBreaker(_FAILURES_TO_OPEN, _OPEN_SECONDS, now)

    def admit(self) -> None:
        """Raises GatewayError while the circuit is open. What is admitted is settled by one of the three below."""
        wait = self._breaker.admit()
        if wait is not None:
            _failures.labels(self.name, "circuit_open").inc()
            raise unavailable(self.name, max(1, round(wait)))

    def answered(self) -> None:
        self._breaker.succeeded()

    def abandoned(self) -> None:
        """The client gave up, or all connections are busy: nothing is known about the service."""
        self._breaker.abandoned()

    def failed(self, error: UpstreamError | TimeoutError) -> GatewayError:
        """Count a failure, and say what the client is told."""
        if isinstance(error, Busy):
            self._breaker.abandoned()
            _failures.labels(self.name, "busy").inc()
            return unavailable(self.name, 1)
        self._breaker.failed()
        if isinstance(error, NotSent):
            _failures.labels(self.name, "not_sent").inc()
            return unavailable(self.name)
        if isinstance(error, TimeoutError):
            _failures.labels(self.name, "timeout").inc()
            return GatewayError(504, f"The {self.name} service took too long to answer", "upstream_timeout")
        _failures.labels(self.name, "broken").inc()
        return GatewayError(502, f"The {self.name} service gave no valid answer", "bad_gateway")

    async def acquire(self, *, fresh: bool = False) -> UpstreamConnection:
        """A connection; one that could not be made is tried once more. Raises NotSent, or Busy."""
        try:
            return await self.pool.acquire(fresh=fresh)
        except Busy:
            raise
        except NotSent:
            await asyncio.sleep(0.05)
            return await self.pool.acquire(fresh=fresh)

    async def fetch(self, path: str, *, timeout: float) -> Fetched:
        """GET for the gateway's own use, apart from the breaker. Raises UpstreamError or TimeoutError."""
        head = b"GET %s HTTP/1.1\r\nhost: %s\r\naccept: application/json\r\n\r\n"
        async with asyncio.timeout(timeout):
            connection = await self.pool.acquire(fresh=True)
            done = False
            try:
                response = connection.send(head % (path.encode(), self.address.authority), bodyless=False)
                await response.head()
                body = bytearray()
                while chunk := await response.read():
                    body += chunk
                    if len(body) > _FETCH_LIMIT:
                        raise Broken("answer is too large")
                done = True
                return Fetched(response.status, bytes(body))
            finally:
                self.pool.release(connection, reuse=done)

    def close(self) -> None:
        self.pool.close()
