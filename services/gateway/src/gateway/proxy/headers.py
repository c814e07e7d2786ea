"""What of a message's headers goes on, in both directions, and which requests are refused for theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kernel import InvalidInput

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
# Set by the gateway itself, or believed by some server although a client wrote it.
_OWN: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"expect",
        b"x-request-id",
        b"traceparent",
        b"tracestate",
        b"baggage",
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"true-client-ip",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-http-method-override",
    }
)
_FORGED_PREFIXES: Final = (b"x-forwarded-", b"x-user-", b"x-tenant-", b"x-cobro-", b"x-envoy-", b"x-amzn-")
_DROPPED: Final = HOP_BY_HOP | _OWN
# Two of these would be read differently by different parsers.
_SINGLE: Final = frozenset(
    {b"host", b"authorization", b"content-length", b"content-type", b"transfer-encoding", b"idempotency-key"}
)
# The gateway answers with its own of these.
_RESPONSE_DROPPED: Final = HOP_BY_HOP | {b"server", b"date", b"x-request-id", b"alt-svc"}

SECURITY: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_LENGTH: Final = re.compile(rb"\d{1,15}")
_HOST: Final = re.compile(rb"[A-Za-z0-9._~-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


@dataclass(slots=True)
class Incoming:
    """A request's headers, read once. forward: what goes on to the service. content_length: None if not announced."""

    forward: Headers = field(default_factory=list)
    authorization: bytes | None = None
    origin: bytes | None = None
    content_length: int | None = None
    chunked: bool = False
    request_id: str | None = None
    forwarded_for: list[bytes] = field(default_factory=list)
    forwarded_proto: bytes | None = None
    preflight_method: bytes | None = None

    @property
    def has_body(self) -> bool:
        return self.chunked or bool(self.content_length)


def read_request(headers: Headers, *, http_version: str = "1.1") -> Incoming:
    """Raises InvalidInput (codes framing_invalid, header_duplicate, host_invalid) on shapes that smuggle requests."""
    incoming = Incoming()
    seen: set[bytes] = set()
    listed: frozenset[bytes] = frozenset()
    for name, value in headers:
        if name in _SINGLE:
            if name in seen:
                raise _refusal(name)
            seen.add(name)
        if name in _DROPPED:
            if name == b"content-length":
                incoming.content_length = _length(value)
            elif name == b"transfer-encoding":
                if value.strip().lower() != b"chunked":
                    raise InvalidInput("Only the chunked transfer coding is known", code="framing_invalid")
                incoming.chunked = True
            elif name == b"connection":
                listed |= frozenset(token.strip() for token in value.lower().split(b","))
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                incoming.request_id = value.decode()
            elif name == b"host" and not _HOST.fullmatch(value):
                raise InvalidInput("The Host header is not a host", code="host_invalid")
            continue
        if name.startswith(b"x-") and name.startswith(_FORGED_PREFIXES):
            if name == b"x-forwarded-for":
                incoming.forwarded_for.append(value)
            elif name == b"x-forwarded-proto":
                incoming.forwarded_proto = value
            continue
        if b"_" in name:  # read as "-" by some servers
            continue
        if name == b"authorization":
            incoming.authorization = value
        elif name == b"origin":
            incoming.origin = value
        elif name == b"access-control-request-method":
            incoming.preflight_method = value
        incoming.forward.append((name, value))
    if incoming.chunked and (incoming.content_length is not None or http_version == "1.0"):
        raise InvalidInput("A body has either a length or a transfer coding", code="framing_invalid")
    if http_version == "1.1" and b"host" not in seen:
        raise InvalidInput("The Host header is missing", code="host_invalid")
    if listed:
        incoming.forward = [(name, value) for name, value in incoming.forward if name not in listed]
    return incoming


def response_headers(headers: Headers, defaults: Sequence[tuple[bytes, bytes]] = ()) -> Headers:
    """What of a service's response headers goes on to the client, and the defaults it has not set itself."""
    kept: Headers = []
    names: set[bytes] = set()
    listed: frozenset[bytes] = frozenset()
    for name, value in headers:
        if name in _RESPONSE_DROPPED:
            if name == b"connection":
                listed |= frozenset(token.strip() for token in value.lower().split(b","))
            continue
        names.add(name)
        kept.append((name, value))
    if listed - {b"close", b"keep-alive"}:
        kept = [(name, value) for name, value in kept if name not in listed]
    kept += [default for default in defaults if default[0] not in names]
    return kept


def _length(value: bytes) -> int:
    if not _LENGTH.fullmatch(value):
        raise InvalidInput("Content-Length is not a number", code="framing_invalid")
    return int(value)


def _refusal(name: bytes) -> InvalidInput:
    framing = name in {b"content-length", b"transfer-encoding"}
    code = "framing_invalid" if framing else "header_duplicate"
    return InvalidInput(f"The header {name.decode()} appears more than once", code=code)
