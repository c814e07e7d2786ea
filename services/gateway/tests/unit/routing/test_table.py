from __future__ import annotations

import pytest
from gateway.routing.table import (
    BODY_LIMIT,
    EXCEPTIONS,
    METHODS,
    SEGMENTS,
    WEBHOOK_BODY_LIMIT,
    LimitClass,
    is_public,
    match,
    opens_by_key,
    owner_of,
)
from kernel import InvalidInput, NotFound


def route(method: str, path: str, raw: bytes | None = None):  # type: ignore[no-untyped-def]
    return match(method, path, raw if raw is not None else path.encode())


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/auth/me", "auth"),
        ("/api/v1/users/1", "auth"),
        ("/api/v1/kyc/submissions", "auth"),
        ("/api/v1/businesses/1/branches/2", "auth"),
        ("/api/v1/products", "catalog"),
        ("/api/v1/sales/sync", "sales"),
        ("/api/v1/cash-registers/1/open", "sales"),
        ("/api/v1/payments/1", "payments"),
        ("/api/v1/payment-methods", "payments"),
        ("/api/v1/checkout", "payments"),
        ("/api/v1/pay", "payments"),
        ("/api/v1/reconciliations", "payments"),
        ("/api/v1/webhook-events", "webhooks"),
        ("/api/v1/webhook-endpoints/1/rotate-secret", "webhooks"),
        ("/api/v1/fiscal-profiles/1", "billing"),
        ("/api/v1/invoices/1/pdf", "billing"),
        ("/api/v1/receipts/1", "billing"),
        ("/api/v1/notifications", "notifications"),
        ("/api/v1/notification-preferences", "notifications"),
        ("/api/v1/push-devices", "notifications"),
        ("/api/v1/unsubscribe", "notifications"),
        ("/api/v1/analytics/summary", "analytics"),
    ],
)
def test_a_path_belongs_to_the_service_that_owns_its_first_segment(path: str, service: str) -> None:
    found = route("GET", path)
    assert (found.upstream, found.public, found.limit_class) == (service, False, LimitClass.API)


def opens(method: str, path: str) -> bool:
    try:
        return bool(route(method, path).public)
    except NotFound:
        return False


def test_only_the_listed_routes_are_public() -> None:
    paths = [path for _, path in EXCEPTIONS]
    paths += [f"/api/v1/{segment}" for segments in SEGMENTS.values() for segment in segments]
    paths += ["/api/v1/webhooks/conekta", "/webhooks/conekta", "/api/v1/auth/logout", "/api/v1/auth/password/change"]
    paths += ["/api/v1/checkout/key", "/api/v1/checkout/key/more"]
    paths += ["/api/v1/pay/key", "/api/v1/pay/key/more"]
    paths += ["/api/v1/unsubscribe/token", "/api/v1/unsubscribe/token/more", "/api/v1/notifications/callbacks/other"]
    public = {(method, path) for method in METHODS for path in paths if opens(method, path)}
    assert public == {
        ("POST", "/api/v1/auth/register"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/refresh"),
        ("POST", "/api/v1/auth/password/forgot"),
        ("POST", "/api/v1/auth/password/reset"),
        ("GET", "/.well-known/jwks.json"),
        ("POST", "/api/v1/webhooks/conekta"),
        ("POST", "/webhooks/conekta"),
        ("GET", "/api/v1/checkout/key"),
        ("GET", "/api/v1/pay/key"),
        ("POST", "/api/v1/pay/key"),
        ("GET", "/api/v1/unsubscribe/token"),
        ("POST", "/api/v1/unsubscribe/token"),
        ("POST", "/api/v1/notifications/callbacks/twilio"),
        ("POST", "/api/v1/notifications/callbacks/sendgrid"),
    }


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/sales",
        "/api/v1/salesx",
        "/sales",
        "/webhooks/",
        "/webhooks/A/b",
        "",
    ],
)
def test_what_nobody_owns_is_not_found(path: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(NotFound) as error:
            route(method, path)
        assert error.value.code == "route_not_found"


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/api/v1/sales/../users", b"/api/v1/sales/../users"),
        ("/api/v1/sales/..", b"/api/v1/sales/%2e%2e"),
        ("/api/v1/./sales", b"/api/v1/./sales"),
        ("/api/v1//sales", b"/api/v1//sales"),
        ("//api/v1/sales", b"//api/v1/sales"),
        ("/api/v1/sales/a/b", b"/api/v1/sales/a%2Fb"),
        ("/api/v1/sales/a\\b", b"/api/v1/sales/a%5cb"),
        ("/api/v1/sales/\x00", b"/api/v1/sales/%00"),
        ("/api/v1/sales/\n", b"/api/v1/sales/%0a"),
        ("/webhooks/../api/v1/users", b"/webhooks/%2e%2E/api/v1/users"),
    ],
)
def test_paths_open_to_two_readings_are_refused(path: str, raw: bytes) -> None:
    with pytest.raises(InvalidInput) as error:
        match("POST", path, raw)
    assert error.value.code == "path_invalid"


def test_body_limits() -> None:
    assert route("POST", "/webhooks/payu").body_limit == WEBHOOK_BODY_LIMIT
    assert route("POST", "/api/v1/sales").body_limit == BODY_LIMIT
    assert route("POST", "/api/v1/products/import").body_limit > BODY_LIMIT
    assert route("POST", "/api/v1/auth/login").body_limit < BODY_LIMIT


def test_owner_and_publicity_of_path_templates() -> None:
    assert owner_of("/api/v1/businesses/{business_id}/branches") == "auth"
    assert owner_of("/webhooks/{provider}") == "webhooks"
    assert owner_of("/.well-known/jwks.json") == "auth"
    assert owner_of("/internal/debug") is None
    assert is_public("POST", "/webhooks/{provider}")
    assert is_public("POST", "/api/v1/webhooks/{name}")
    assert not is_public("GET", "/api/v1/webhooks/{name}")
    assert not is_public("POST", "/api/v1/webhook-endpoints/{id}/test")


@pytest.mark.parametrize(
    ("method", "path", "query", "opened"),
    [
        ("GET", "/api/v1/receipts/1", b"key=abc", True),
        ("GET", "/api/v1/receipts/1", b"lang=pt&key=abc", True),
        ("GET", "/api/v1/invoices/1/pdf", b"key=1.abc", True),
        ("GET", "/api/v1/invoices/1/xml", b"key=1.abc", True),
        ("GET", "/api/v1/invoices/1", b"key=1.abc", False),
        ("GET", "/api/v1/invoices/1/retry", b"key=1.abc", False),
        ("GET", "/api/v1/receipts/1", b"", False),
        ("GET", "/api/v1/receipts/1", b"key=", False),
        ("GET", "/api/v1/receipts/1", b"monkey=abc", False),
        ("POST", "/api/v1/receipts/1", b"key=abc", False),
        ("GET", "/api/v1/receipts/1/2", b"key=abc", False),
        ("GET", "/api/v1/receipts", b"key=abc", False),
        ("GET", "/api/v1/invoices/1", b"key=abc", False),
    ],
)
def test_a_receipt_opens_with_the_key_of_its_link(method: str, path: str, query: bytes, opened: bool) -> None:
    assert route(method, path).opened_by(query) is opened


def test_the_document_says_which_operations_a_key_opens() -> None:
    assert opens_by_key("GET", "/api/v1/receipts/{sale_id}")
    assert not opens_by_key("GET", "/api/v1/invoices/{invoice_id}")
