"""One ASGI middleware for what every request needs: id, trace, body limit, security headers, metrics, access log."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kernel import new_id
from opentelemetry.trace import SpanKind
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import tenancy
from chassis.http.errors import error_response
from chassis.telemetry import metrics, tracing
from chassis.telemetry.access import AccessLog
from chassis.telemetry.context import request_id
from chassis.telemetry.logs import get_logger

log = get_logger(__name__)

_VALID_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


BODY_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes a body may have: on the paths named, which take files, and on all others."""

    paths: Mapping[str, int]
    default: int = BODY_LIMIT

    def of(self, path: str) -> int:
        return self.paths.get(path, self.default)


class RequestMiddleware:
    """Wraps the whole application. A body's limit is enforced on what arrives and not on what was announced."""

    def __init__(self, app: ASGIApp, *, service: str, body_limit: int | BodyLimits) -> None:
        self._app = app
        self._service = service
        self._body_limits = body_limit if isinstance(body_limit, BodyLimits) else BodyLimits({}, body_limit)
        self._access_log = AccessLog(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        current = given if _VALID_ID.match(given) else str(new_id())
        token = request_id.set(current)
        try:
            # A task may come with the context of the request before it on the same connection.
            with (
                tenancy.scope(tenancy.NOBODY),
                tracing.span(f"{scope['method']} {self._service}", kind=SpanKind.SERVER, carrier=headers) as span,
            ):
                trace_id = f"{span.get_span_context().trace_id:032x}"
                await self._serve(scope, receive, send, headers, current, trace_id)
        finally:
            request_id.reset(token)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], current: str, trace_id: str
    ) -> None:
        started = time.perf_counter()
        status = 0
        body_limit = self._body_limits.of(scope["path"])
        too_large = f"The body is larger than {body_limit} bytes"

        async def send_stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                extra = [(name, value) for name, value in _HEADERS if name not in present]
                if _CSP[0] not in present:
                    extra.append(_CSP)
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", current.encode())]
            await send(message)

        seen = 0

        async def receive_limited() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > body_limit:
                    # An HTTPException, because FastAPI takes any other error while reading a body for bad JSON.
                    raise HTTPException(413, too_large)
            return message

        try:
            announced = headers.get("content-length", "")
            if announced.isdecimal() and int(announced[:20]) > body_limit:
                await error_response(413, too_large, "too_large")(scope, receive, send_stamped)
            else:
                await self._app(scope, receive_limited, send_stamped)
        except Exception as error:
            log.error("http.unexpected_error", exc_info=error)
            if status:
                raise  # the answer is half sent: only a broken connection tells the client
            await error_response(500, "Internal error", "internal_error")(scope, receive, send_stamped)
        finally:
            elapsed = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.http_requests.labels(self._service, scope["method"], route, str(status)).observe(elapsed)
            self._access_log.write(
                request_id=current,
                trace_id=trace_id,
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=elapsed * 1000,
            )
