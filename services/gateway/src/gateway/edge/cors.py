"""Cross-origin requests by the browsers of the web clients named in the settings (Fetch standard, 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.proxy.headers import Headers

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, Accept-Language"
)
_EXPOSED = (
    b"X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, ETag, Location, Content-Disposition"
)
_MAX_AGE = b"7200"


class Cors:
    """No credentials mode: clients send a bearer token, never a cookie."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, origin: bytes | None) -> Headers:
        """Of an actual answer."""
        if not self._origins:
            return []
        if origin not in self._origins:
            return [(b"vary", b"Origin")]
        assert origin is not None
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
        ]

    def preflight(self, origin: bytes | None) -> Headers:
        """Of the answer to an OPTIONS request that asks; without permission for an origin that is not listed."""
        if origin is None or origin not in self._origins:
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE),
        ]
