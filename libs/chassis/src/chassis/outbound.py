"""HTTP to systems that are not ours: what every adapter of an outside system talks through.

OutboundError
├── NotSent            no connection was made: nothing happened there, sending again is safe
│   └── HeldBack       not even tried: by our own doing, and for a while
│       ├── CircuitOpen    the peer failed too often a moment ago
│       └── Throttled      more requests than we allow ourselves to send it
└── NoAnswer           a connection was made and no complete answer came back: the outcome is unknown
    └── AnswerTooLarge

Messages name the peer, the operation and the kind of failure: never an address, a header or a body.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDict, CIMultiDictProxy
from opentelemetry import trace
from prometheus_client import Counter, Histogram
from yarl import URL

from chassis.strict_json import strict_json
from chassis.telemetry import tracing

_REQUESTS = Counter(
    "cobro_outbound_requests_total", "Requests to outside systems by outcome.", ["peer", "operation", "outcome"]
)
_SECONDS = Histogram(
    "cobro_outbound_request_seconds",
    "Time an outside system took to answer.",
    ["peer", "operation"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class OutboundError(Exception):
    def __init__(self, peer: str, operation: str, reason: str) -> None:
        super().__init__(f"{peer} {operation}: {reason}")
        self.peer = peer
        self.operation = operation
        self.reason = reason


class NotSent(OutboundError):
    pass


class HeldBack(NotSent):
    """retry_after: seconds until the next attempt is let through."""

    cause = "held back"

    def __init__(self, peer: str, operation: str, retry_after: float) -> None:
        super().__init__(peer, operation, self.cause)
        self.retry_after = retry_after


class CircuitOpen(HeldBack):
    cause = "circuit open"


class Throttled(HeldBack):
    cause = "too many requests of ours"


class NoAnswer(OutboundError):
    pass


class AnswerTooLarge(NoAnswer):
    pass


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    status: int
    headers: CIMultiDictProxy[str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Decode strictly: UTF-8, no duplicate keys, no NaN; decimals come as Decimal. Raises InvalidJson."""
        return strict_json(self.body)

    @property
    def retry_after(self) -> int | None:
        """Seconds of a Retry-After header in its numeric form, at most an hour."""
        value = self.headers.get("Retry-After", "")
        return min(int(value), 3600) if value.isascii() and value.isdigit() and len(value) < 10 else None


class CircuitBreaker:
    """Opens after `threshold` failures in a row; `open_seconds` later lets one request through to find out."""

    def __init__(self, threshold: int, open_seconds: float, now: Callable[[], float]) -> None:
        self._threshold = threshold
        self._open_seconds = open_seconds
        self._now = now
        self._failures = 0
        self._retry_at = 0.0
        self._probing = False

    def admit(self) -> float | None:
        """None to go ahead, else the seconds to wait."""
        if self._failures < self._threshold:
            return None
        wait = self._retry_at - self._now()
        if wait > 0:
            return wait
        if self._probing:
            return self._open_seconds
        self._probing = True
        return None

    def succeeded(self) -> None:
        self._failures = 0
        self._probing = False

    def failed(self) -> None:
        self._failures += 1
        self._probing = False
        self._retry_at = self._now() + self._open_seconds

    def abandoned(self) -> None:
        """The caller gave up: this tells nothing about the peer."""
        self._probing = False


class RateBound:
    """At most `per_second` requests on average, a second's worth of them at once (a token bucket). Of one process.

    max_wait: seconds for which a request that has no room yet waits its turn; beyond them it is refused.
    """

    def __init__(self, per_second: float, max_wait: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        # A bucket of fewer than one would let nothing through.
        self._tolerance = max(0.0, 1.0 - self._interval)
        self._max_wait = max_wait
        self._now = now
        self._next = 0.0

    def reserve(self) -> tuple[bool, float]:
        """Whether there is room, and the seconds to wait: before going ahead, or before asking again."""
        now = self._now()
        due = max(self._next, now)
        # To the nanosecond: thirds do not add up to one.
        wait = max(0.0, round(due - now - self._tolerance, 9))
        if wait > self._max_wait:
            return False, wait - self._max_wait
        self._next = due + self._interval
        return True, wait


class OutboundClient:
    """One peer, one pool of connections. Create it inside a running event loop; close it, or use `async with`.

    base_url: http(s), may carry a path prefix. headers: sent with every request, credentials included.
    auth: user and password, for peers with HTTP Basic.
    timeout, connect_timeout: seconds. max_body: bytes of an answer after decompression. rate: without one, unbounded.
    tls: for a peer whose TLS needs other terms than everybody's; certificates are verified in any case.
    Redirects are not followed, cookies not kept, proxy variables ignored.
    """

    def __init__(
        self,
        peer: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float = 10.0,
        connect_timeout: float = 3.0,
        max_body: int = 1_048_576,
        max_connections: int = 100,
        failure_threshold: int = 10,
        open_seconds: float = 5.0,
        rate: RateBound | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if tls is not None and (tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname):
            raise ValueError(f"{peer}: the certificate of the peer must be verified")
        self.peer = peer
        self._rate = rate
        self._base = URL(base_url.rstrip("/"))
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise ValueError(f"{peer}: base URL must be an absolute http(s) URL")
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._max_body = max_body
        self._breaker = CircuitBreaker(failure_threshold, open_seconds, now)
        self._session = aiohttp.ClientSession(
            # Shorter than the 5 s after which common servers close an idle connection: a POST that meets the close is
            # a NoAnswer although nothing happened.
            connector=_Connector(limit=max_connections, keepalive_timeout=4.0, ssl=True if tls is None else tls),
            headers={**(headers or {}), **({"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {})},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"OutboundClient(peer={self.peer!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        operation: str | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> OutboundResponse:
        """One attempt. Any complete answer is returned, whatever its status. Raises NotSent, HeldBack, NoAnswer.

        path: begins with a slash, percent-encoded. operation: the metric label, of few values (default: the method).
        """
        name = operation or method
        with tracing.span(
            f"{self.peer} {name}",
            kind=trace.SpanKind.CLIENT,
            attributes={"peer.service": self.peer, "http.request.method": method},
            record_exception=False,
        ) as span:
            wait = self._breaker.admit()
            if wait is not None:
                _REQUESTS.labels(self.peer, name, "circuit_open").inc()
                raise CircuitOpen(self.peer, name, wait)
            try:
                await self._turn(name)
                started = time.perf_counter()
                answer = await self._attempt(
                    method, self._url(path, params), name, _body(json, data), _headers(json, headers), timeout
                )
            except HeldBack:
                self._breaker.abandoned()
                raise
            except OutboundError as error:
                self._breaker.failed()
                self._observe(name, "not_sent" if isinstance(error, NotSent) else "no_answer", started)
                raise
            except BaseException:
                self._breaker.abandoned()
                raise
            if answer.status >= 500:
                self._breaker.failed()
            else:
                self._breaker.succeeded()
            span.set_attribute("http.response.status_code", answer.status)
            self._observe(name, f"{answer.status // 100}xx" if answer.status != 429 else "429", started)
            return answer

    async def _turn(self, operation: str) -> None:
        if self._rate is None:
            return
        room, wait = self._rate.reserve()
        if not room:
            _REQUESTS.labels(self.peer, operation, "throttled").inc()
            raise Throttled(self.peer, operation, wait)
        if wait:
            await asyncio.sleep(wait)

    def _url(self, path: str, params: Mapping[str, str] | None) -> URL:
        if not path.startswith("/"):
            raise ValueError("path must begin with a slash")
        url = URL(f"{self._base}{path}", encoded=True)
        return url.update_query(params) if params else url

    async def _attempt(
        self,
        method: str,
        url: URL,
        operation: str,
        data: bytes | Mapping[str, str] | None,
        headers: Mapping[str, str],
        timeout: float | None,
    ) -> OutboundResponse:
        progress = _Progress()
        _progress.set(progress)
        limits = aiohttp.ClientTimeout(
            total=self._timeout if timeout is None else timeout, connect=self._connect_timeout
        )
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
            ) as response:
                body = await self._read(response)
                return OutboundResponse(response.status, response.headers, body)
        except _TooLarge:
            failure: OutboundError = AnswerTooLarge(self.peer, operation, f"answer over {self._max_body} bytes")
        except TimeoutError:
            failure = self._failure(progress, operation, "timed out")
        except (aiohttp.ClientError, OSError) as error:
            failure = self._failure(progress, operation, type(error).__name__)
        # Raised here and not above: aiohttp's errors hold the request with its credentials, and would be its context.
        raise failure

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._max_body:
                response.close()
                raise _TooLarge
        return bytes(body)

    def _failure(self, progress: _Progress, operation: str, reason: str) -> OutboundError:
        return (NoAnswer if progress.connected else NotSent)(self.peer, operation, reason)

    def _observe(self, operation: str, outcome: str, started: float) -> None:
        _REQUESTS.labels(self.peer, operation, outcome).inc()
        _SECONDS.labels(self.peer, operation).observe(time.perf_counter() - started)


class _TooLarge(Exception):
    pass


@dataclass(slots=True)
class _Progress:
    """connected: a connection was handed to the request, so from here on bytes may have left."""

    connected: bool = False


_progress: ContextVar[_Progress] = ContextVar("outbound_progress")


class _Connector(aiohttp.TCPConnector):
    """Tells when a request got its connection: the one thing of aiohttp's tracing that is needed here, all of which
    costs a good part of the request itself."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _progress.get().connected = True
        return connection


def _body(value: Any, data: bytes | Mapping[str, str] | None) -> bytes | Mapping[str, str] | None:
    if value is None:
        return data
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _headers(value: Any, headers: Mapping[str, str] | None) -> Mapping[str, str]:
    merged: CIMultiDict[str] = CIMultiDict(headers or {})
    if value is not None:
        merged.setdefault("Content-Type", "application/json")
    tracing.inject_into(merged)
    return merged
