"""The routing table, as data. A path belongs to the service that owns its first segment after `/api/v1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kernel import InvalidInput, NotFound

PREFIX: Final = "/api/v1"

# service -> the first path segments it owns. One line here opens a new resource to the world.
SEGMENTS: Final[dict[str, tuple[str, ...]]] = {
    "auth": ("auth", "users", "kyc", "businesses", "audit-entries"),
    "catalog": ("products", "stock-movements", "catalog-settings"),
    "sales": ("sales", "cash-registers"),
    "payments": ("payments", "checkout", "payment-methods", "payment-accounts", "pay", "reconciliations"),
    "webhooks": ("webhooks", "webhook-events", "webhook-endpoints"),
    "billing": ("fiscal-profiles", "invoices", "receipts"),
    "notifications": ("notifications", "notification-preferences", "push-devices", "unsubscribe"),
    "analytics": ("analytics",),
}
UPSTREAMS: Final = tuple(SEGMENTS)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_KEY_GIVEN: Final = re.compile(rb"(?:^|&)key=[^&]")

BODY_LIMIT: Final = 1 << 20
PUBLIC_BODY_LIMIT: Final = 64 << 10
WEBHOOK_BODY_LIMIT: Final = 256 << 10
UPLOAD_BODY_LIMIT: Final = 16 << 20


class LimitClass(StrEnum):
    """Rate limits by kind of route. PUBLIC, LOGIN, WEBHOOKS and CODES (one-time codes) count per address; a bearer's
    routes count per user under API, those for CODES under it too, and per BUSINESS where one is known."""

    PUBLIC = "public"
    LOGIN = "login"
    CODES = "codes"
    WEBHOOKS = "webhooks"
    API = "api"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes and what holds for it.

    label: the metric and log name, of few values. body_limit: bytes. slow: answers may take long (files, reports).
    key_opens: a `key` in the query stands for the token, as in a link given to somebody without an account; what it
    opens is the service's to decide.
    """

    upstream: str
    label: str
    public: bool = False
    limit_class: LimitClass = LimitClass.API
    body_limit: int = BODY_LIMIT
    slow: bool = False
    key_opens: bool = False

    def opened_by(self, query: bytes) -> bool:
        """Whether the query brings a key that stands for the token."""
        return self.key_opens and _KEY_GIVEN.search(query) is not None


def _public(
    upstream: str, label: str, limit_class: LimitClass = LimitClass.LOGIN, body_limit: int = PUBLIC_BODY_LIMIT
) -> Route:
    return Route(upstream, label, public=True, limit_class=limit_class, body_limit=body_limit)


# (method, path): what differs from the segment's rule. Everything that is not public here needs a valid token.
EXCEPTIONS: Final[dict[tuple[str, str], Route]] = {
    ("POST", f"{PREFIX}/auth/register"): _public("auth", "/auth/register"),
    ("POST", f"{PREFIX}/auth/login"): _public("auth", "/auth/login"),
    ("POST", f"{PREFIX}/auth/refresh"): _public("auth", "/auth/refresh", LimitClass.PUBLIC),
    ("POST", f"{PREFIX}/auth/password/forgot"): _public("auth", "/auth/password/forgot", LimitClass.CODES),
    ("POST", f"{PREFIX}/auth/password/reset"): _public("auth", "/auth/password/reset", LimitClass.CODES),
    # What can be guessed with somebody's token: their code, their password.
    **{
        ("POST", f"{PREFIX}{path}"): Route("auth", path, limit_class=LimitClass.CODES, body_limit=PUBLIC_BODY_LIMIT)
        for path in ("/auth/verification", "/auth/verification/confirm", "/auth/password/change")
    },
    ("GET", "/.well-known/jwks.json"): _public("auth", "/.well-known/jwks.json", LimitClass.PUBLIC),
    ("POST", f"{PREFIX}/products/import"): Route(
        "catalog", "/products/import", body_limit=UPLOAD_BODY_LIMIT, slow=True
    ),
    ("POST", f"{PREFIX}/kyc/submissions"): Route("auth", "/kyc/submissions", body_limit=UPLOAD_BODY_LIMIT, slow=True),
    # Where providers of messages report, signed.
    ("POST", f"{PREFIX}/notifications/callbacks/twilio"): _public(
        "notifications", "/notifications/callbacks", LimitClass.WEBHOOKS
    ),
    ("POST", f"{PREFIX}/notifications/callbacks/sendgrid"): _public(
        "notifications", "/notifications/callbacks", LimitClass.WEBHOOKS, BODY_LIMIT
    ),
    ("GET", f"{PREFIX}/products/export"): Route("catalog", "/products/export", slow=True),
}

_OWNERS: Final = {
    segment: Route(service, f"/{segment}", slow=service == "analytics")
    for service, segments in SEGMENTS.items()
    for segment in segments
}
# The buyer's receipt, and the files of a document by the links it is shown with.
_RECEIPT_PATH: Final = re.compile(rf"{PREFIX}/(?:receipts/[^/]+|invoices/[^/]+/(?:pdf|xml))")
_RECEIPT: Final = Route("billing", "/receipts", key_opens=True)
# What printed codes and links lead buyers to; the key in the path is the service's to know.
_PAY_PATH: Final = re.compile(rf"{PREFIX}/pay/[^/]+")
_PAY: Final = _public("payments", "/pay", LimitClass.PUBLIC)
# Where a payment's own page sends the buyer on to the provider; the key is the service's to know.
_CHECKOUT_PATH: Final = re.compile(rf"{PREFIX}/checkout/[^/]+")
_CHECKOUT: Final = _public("payments", "/checkout", LimitClass.PUBLIC)
# The second segment is the key of a business's own account at the provider.
# The link by which a reader switches messages off; the token is the service's to know.
_UNSUBSCRIBE_PATH: Final = re.compile(rf"{PREFIX}/unsubscribe/[^/]+")
_UNSUBSCRIBE: Final = _public("notifications", "/unsubscribe", LimitClass.PUBLIC)
_PROVIDER_WEBHOOK: Final = re.compile(rf"(?:{PREFIX})?/webhooks/[a-z][a-z0-9-]{{0,39}}(?:/[A-Za-z0-9_-]{{22}})?")
_WEBHOOK_TEMPLATE: Final = re.compile(rf"(?:{PREFIX})?/webhooks/[^/]+")
_WEBHOOK: Final = _public("webhooks", "/webhooks", LimitClass.WEBHOOKS, WEBHOOK_BODY_LIMIT)

# What two parsers could read as different paths: dot segments, empty segments, encoded separators, controls.
_UNSAFE_DECODED: Final = re.compile(r"//|/\.{1,2}(?:/|$)|[\x00-\x1f\x7f\\]")
_UNSAFE_RAW: Final = re.compile(rb"%(?:2f|5c|00)", re.IGNORECASE)


def match(method: str, path: str, raw_path: bytes) -> Route:
    """The route of a request; path is decoded, raw_path as it came.

    Raises InvalidInput on a path that is open to two readings, NotFound where no service owns it.
    """
    exception = EXCEPTIONS.get((method, path))
    if exception is not None:
        return exception
    if _UNSAFE_DECODED.search(path) or (b"%" in raw_path and _UNSAFE_RAW.search(raw_path)):
        raise InvalidInput("The path is not in its plain form", code="path_invalid")
    if method == "POST" and _PROVIDER_WEBHOOK.fullmatch(path):
        return _WEBHOOK
    if method == "GET" and _RECEIPT_PATH.fullmatch(path):
        return _RECEIPT
    if method == "GET" and _CHECKOUT_PATH.fullmatch(path):
        return _CHECKOUT
    if method in ("GET", "POST") and _PAY_PATH.fullmatch(path):
        return _PAY
    if method in ("GET", "POST") and _UNSUBSCRIBE_PATH.fullmatch(path):
        return _UNSUBSCRIBE
    if path.startswith("/api/v1/"):
        owner = _OWNERS.get(path[8:].partition("/")[0])
        if owner is not None:
            return owner
    raise NotFound("There is no such route", code="route_not_found")


def is_public(method: str, template: str) -> bool:
    """Whether an operation of an OpenAPI document, named by its path template, needs no token."""
    exception = EXCEPTIONS.get((method, template))
    if exception is not None:
        return exception.public
    if method in ("GET", "POST") and (_PAY_PATH.fullmatch(template) or _UNSUBSCRIBE_PATH.fullmatch(template)):
        return True
    return method == "POST" and _WEBHOOK_TEMPLATE.fullmatch(template) is not None


def opens_by_key(method: str, template: str) -> bool:
    """Whether an operation of an OpenAPI document may be called with a key in the link instead of a token."""
    return method == "GET" and _RECEIPT_PATH.fullmatch(template) is not None


def owner_of(path: str) -> str | None:
    """The service that a path (or path template) belongs to."""
    if path == "/.well-known/jwks.json":
        return "auth"
    if path.startswith("/webhooks/"):
        return "webhooks"
    segment = path.removeprefix(f"{PREFIX}/").partition("/")[0]
    owner = _OWNERS.get(segment) if path.startswith(f"{PREFIX}/") else None
    return owner.upstream if owner else None
