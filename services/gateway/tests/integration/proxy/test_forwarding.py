"""Requests reach the service that owns the path, as they were sent, and answers come back as they were given."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.integration


async def test_a_request_goes_on_with_its_bytes_and_comes_back(gateway: Any) -> None:
    raw = b'{ "amount" : "150.50",\n "note":"\xc3\xb1" }'
    answer = await gateway.client.post(
        "/api/v1/payments/intent?x=%20a%2Bb&x=2",
        content=raw,
        headers={**gateway.bearer(), "idempotency-key": "k-12345678", "content-type": "application/json"},
    )
    assert answer.status_code == 200
    seen = gateway.services.last("/api/v1/payments/intent")
    assert (seen.method, seen.target, seen.body) == ("POST", "/api/v1/payments/intent?x=%20a%2Bb&x=2", raw)
    assert seen.header("idempotency-key") == "k-12345678"
    assert seen.header("authorization") is not None


async def test_request_id_trace_and_forwarding_headers_are_the_gateways_own(gateway: Any) -> None:
    forged = {
        "x-forwarded-for": "6.6.6.6",
        "x-user-id": "admin",
        "x-cobro-service": "payments",
        "x-tenant-id": "other",
        "traceparent": "00-11111111111111111111111111111111-2222222222222222-01",
        "x-request-id": "req-12345678",
        "connection": "keep-alive, x-secret-hop",
        "x-secret-hop": "1",
        "te": "trailers",
    }
    answer = await gateway.client.get("/api/v1/sales/headers", headers={**gateway.bearer(), **forged})
    seen = gateway.services.last("/api/v1/sales/headers")
    assert seen.header("x-forwarded-for") == "127.0.0.1"
    assert seen.header("x-forwarded-proto") == "http"
    assert answer.headers["x-request-id"] == seen.header("x-request-id") == "req-12345678"
    assert "1111" not in (seen.header("traceparent") or "")
    assert len(seen.header("traceparent") or "") == 55
    for dropped in ("x-user-id", "x-cobro-service", "x-tenant-id", "x-secret-hop", "te"):
        assert seen.header(dropped) is None


async def test_an_invalid_request_id_is_replaced(gateway: Any) -> None:
    answer = await gateway.client.get(
        "/api/v1/sales/id", headers={**gateway.bearer(), "x-request-id": "<script>alert(1)</script>"}
    )
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("announced", [True, False])
async def test_a_large_body_streams_through_whole(gateway: Any, announced: bool) -> None:
    body = os.urandom(900_000)

    async def chunks() -> Any:
        for start in range(0, len(body), 70_000):
            yield body[start : start + 70_000]

    headers = {**gateway.bearer(), **({"content-length": str(len(body))} if announced else {})}
    answer = await gateway.client.post("/api/v1/products/large", content=chunks(), headers=headers)
    assert answer.json()["size"] == len(body)
    assert gateway.services.last("/api/v1/products/large").body == body


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0")])
async def test_an_empty_body_is_announced_as_the_client_did(gateway: Any, method: str, length: str | None) -> None:
    await gateway.client.request(method, f"/api/v1/sales/empty-{method}", headers=gateway.bearer())
    seen = gateway.services.last(f"/api/v1/sales/empty-{method}")
    assert (seen.header("content-length"), seen.header("transfer-encoding")) == (length, None)


async def test_a_streamed_answer_arrives_as_it_is_made(gateway: Any) -> None:
    go_on = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
        await send({"type": "http.response.body", "body": b"first,", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"second"})

    gateway.services.on("/api/v1/analytics/stream", stream)
    async with gateway.client.stream("GET", "/api/v1/analytics/stream", headers=gateway.bearer()) as answer:
        parts = answer.aiter_bytes()
        assert await anext(parts) == b"first,"
        go_on.set()
        assert await anext(parts) == b"second"


async def test_a_long_answer_arrives_whole_even_to_a_slow_reader(gateway: Any) -> None:
    body = os.urandom(5_000_000)

    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for start in range(0, len(body), 100_000):
            await send({"type": "http.response.body", "body": body[start : start + 100_000], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    gateway.services.on("/api/v1/analytics/long", long)
    digest = hashlib.sha256()
    async with gateway.client.stream("GET", "/api/v1/analytics/long", headers=gateway.bearer()) as answer:
        async for part in answer.aiter_bytes(300_000):
            digest.update(part)
            await asyncio.sleep(0.002)
    assert digest.digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body(gateway: Any, status: int) -> None:
    async def bodyless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"etag", b'"1"')]})
        await send({"type": "http.response.body", "body": b""})

    gateway.services.on(f"/api/v1/users/{status}", bodyless)
    for _ in range(2):
        answer = await gateway.client.get(f"/api/v1/users/{status}", headers=gateway.bearer())
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (status, b"", '"1"')


async def test_head_keeps_the_length_and_sends_no_body(gateway: Any) -> None:
    for _ in range(3):
        answer = await gateway.client.head("/api/v1/users/me", headers=gateway.bearer())
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) > 0
    assert (await gateway.client.get("/api/v1/users/me", headers=gateway.bearer())).json()["path"] == "/api/v1/users/me"


async def test_redirects_and_encodings_pass_untouched(gateway: Any) -> None:
    async def encoded(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"location", b"/elsewhere"), (b"content-encoding", b"gzip"), (b"content-length", b"7")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b"\x1f\x8bnotgz"})

    gateway.services.on("/api/v1/receipts/1", encoded)
    request = gateway.client.build_request("GET", "/api/v1/receipts/1", headers=gateway.bearer())
    answer = await gateway.client.send(request, stream=True)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/elsewhere"
    assert b"".join([part async for part in answer.aiter_raw()]) == b"\x1f\x8bnotgz"
    await answer.aclose()


async def test_webhooks_are_public_with_and_without_the_prefix(gateway: Any) -> None:
    for path in ("/webhooks/conekta", "/api/v1/webhooks/conekta"):
        answer = await gateway.client.post(path, content=b'{"id": 1}', headers={"digest": "sha"})
        assert answer.status_code == 200
        assert gateway.services.last(path).body == b'{"id": 1}'


async def test_every_answer_carries_the_security_headers(gateway: Any) -> None:
    asked = [("GET", path) for path in ("/api/v1/users/x", "/api/v1/nothing", "/health", "/docs", "/openapi.json")]
    asked += [("TRACE", "/api/v1/users"), ("DELETE", "/docs"), ("POST", "/webhooks/%2e%2e/x"), ("HEAD", "/health")]
    for method, path in asked:
        answer = await gateway.client.request(method, path, headers=gateway.bearer())
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert "cache-control" in answer.headers, path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert "content-security-policy" in answer.headers, path
        assert "server" not in answer.headers, path
        assert "x-request-id" in answer.headers, path


async def test_many_requests_at_once_share_few_connections(gateway: Any) -> None:
    headers = gateway.bearer()
    connector = aiohttp.TCPConnector(limit=40)
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{gateway.port}", connector=connector, headers=headers
    ) as client:

        async def sell(size: int) -> int:
            async with client.post(f"/api/v1/sales/{size}", data=b"x" * size) as answer:
                return int((await answer.json())["size"])

        assert await asyncio.gather(*map(sell, range(300))) == list(range(300))


async def test_a_buyers_link_needs_no_account(gateway: Any) -> None:
    answer = await gateway.client.get("/api/v1/receipts/buyers?key=abc")
    assert answer.status_code == 200
    assert gateway.services.last("/api/v1/receipts/buyers").target == "/api/v1/receipts/buyers?key=abc"
    assert (await gateway.client.get("/api/v1/receipts/buyers")).status_code == 401
