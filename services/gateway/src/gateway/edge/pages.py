"""What the gateway answers itself: health, metrics, the merged OpenAPI document and the page that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Receive, Scope, Send

from gateway.edge.answers import send_answer
from gateway.edge.client_address import Networks, parsed, within
from gateway.health.status import SuiteStatus
from gateway.openapi.page import ASSETS, PAGE, PAGE_HEADERS, asset
from gateway.openapi.service import MergedOpenApi
from gateway.proxy.headers import SECURITY, Headers

_JSON: Final = (b"content-type", b"application/json")
_FORWARDING: Final = frozenset({b"forwarded", b"x-forwarded-for", b"via", b"x-real-ip"})


@dataclass(frozen=True, slots=True)
class Page:
    label: str
    answer: Callable[[Scope, Receive, Send, Headers], Awaitable[None]]


class Pages:
    def __init__(
        self,
        *,
        openapi: MergedOpenApi,
        status: SuiteStatus,
        checks: Mapping[str, Callable[[], Awaitable[bool]]],
        metrics_networks: Networks,
        draining: Callable[[], bool],
    ) -> None:
        self._openapi = openapi
        self._status = status
        self._checks = checks
        self._metrics_networks = metrics_networks
        self._draining = draining
        self._pages = {
            "/health": Page("/health", self._health),
            "/openapi.json": Page("/openapi.json", self._document),
            "/docs": Page("/docs", self._docs),
            **{path: Page("/docs/assets", self._asset) for path in ASSETS},
        }

    def find(self, method: str, path: str) -> Page | None:
        return self._pages.get(path) if method in ("GET", "HEAD") else None

    async def probe(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer a request of the platform rather than of a client, which is neither counted nor logged."""
        path = scope["path"]
        if path == "/health/live":
            await send_answer(send, 200, [_JSON, *SECURITY], b'{"status":"ok","service":"gateway"}')
        elif path == "/health/ready":
            accepting = not self._draining()
            results = {name: await check() for name, check in self._checks.items()}
            # Redis down means slower, never closed: it is told, and does not take the gateway out of service.
            body = {
                "status": "ok" if accepting else "unavailable",
                "service": "gateway",
                "checks": {"accepting": accepting, **results},
            }
            await send_answer(send, 200 if accepting else 503, [_JSON, *SECURITY], orjson.dumps(body))
        elif path == "/metrics" and self._may_measure(scope):
            headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), *SECURITY]
            await send_answer(send, 200, headers, generate_latest())
        else:
            return False
        return True

    def _may_measure(self, scope: Scope) -> bool:
        address = parsed(scope["client"][0]) if scope["client"] else None
        direct = not any(name in _FORWARDING for name, _ in scope["headers"])
        return direct and address is not None and within(address, self._metrics_networks)

    async def _health(self, scope: Scope, receive: Receive, send: Send, own: Headers) -> None:
        status = await self._status.get()
        await send_answer(send, 200, [_JSON, *SECURITY, *own], orjson.dumps(status))

    async def _document(self, scope: Scope, receive: Receive, send: Send, own: Headers) -> None:
        document = await self._openapi.get()
        headers = [header for header in SECURITY if header[0] != b"cache-control"]
        headers += [_JSON, (b"cache-control", b"no-cache"), (b"etag", document.etag), *own]
        if (b"if-none-match", document.etag) in scope["headers"]:
            await send_answer(send, 304, headers)
            return
        await send_answer(send, 200, headers, document.body)

    async def _docs(self, scope: Scope, receive: Receive, send: Send, own: Headers) -> None:
        await send_answer(send, 200, [*PAGE_HEADERS, *own], PAGE)

    async def _asset(self, scope: Scope, receive: Receive, send: Send, own: Headers) -> None:
        found = await asset(scope["path"])
        headers = [header for header in SECURITY if header[0] != b"cache-control"]
        headers += [(b"content-type", found.media_type), (b"cache-control", b"public, max-age=86400"), *own]
        await send_answer(send, 200, headers, found.body)
