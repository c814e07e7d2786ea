"""What two servers could read in two ways is refused, or means the same to the service as to the gateway.

Bytes are written as they are: no client library would send them.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

pytestmark = pytest.mark.integration

PATH = "/webhooks/ambiguous"
HIDDEN = b"POST /webhooks/hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

REFUSED = {
    "bare line feeds": b"POST %s HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
    "a bare line feed among others": b"POST %s HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\nhello",
    "a bare carriage return": b"POST %s HTTP/1.1\rHost: a\r\n\r\n",
    "a bare line feed in a chunk": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"
    ),
    "a length in a trailer": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"
    ),
    "a bare line feed after the last chunk": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\n\n" + HIDDEN
    ),
    "a chunk longer than its size": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n" + HIDDEN
    ),
    "a chunk size beyond any number": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n"
    ),
    "a chunk size with a prefix": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"
    ),
    "a vertical tab before the coding": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "a space before the coding's colon": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "a coding in quotes": b'POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + HIDDEN,
    "a coding before chunked": b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an empty coding and a length": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello"
    ),
    "a coding on a folded line": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "a folded line before the first header": b"POST %s HTTP/1.1\r\n Host: a\r\n\r\n",
    "chunks in HTTP/1.0": b"POST %s HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks in HTTP/1.0, kept alive": (
        b"POST %s HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "a version of two digits": b"POST %s HTTP/1.10\r\nHost: a\r\n\r\n",
    "a space in the target": b"POST %s /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the target": b"POST %s\t/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method in small letters": b"post %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length\r\n\r\n",
    "a target of another authority": b"POST a@b%s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "a host with a path": b"POST %s HTTP/1.1\r\nHost: a/b\r\nContent-Length: 0\r\n\r\n",
    "a host with a user": b"POST %s HTTP/1.1\r\nHost: u@a\r\nContent-Length: 0\r\n\r\n",
    "an empty host": b"POST %s HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n",
    "two idempotency keys": (
        b"POST %s HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_and_reaches_no_service(gateway: Any, name: str) -> None:
    before = len(gateway.services.seen)
    received = await gateway.raw(REFUSED[name].replace(b"%s", PATH.encode()), timeout=0.7)
    assert received.startswith(b"HTTP/1.1 400 "), received
    assert received.count(b"HTTP/1.1 ") == 1
    assert len(gateway.services.seen) == before


async def test_http_0_9_gets_no_answer_and_reaches_no_service(gateway: Any) -> None:
    before = len(gateway.services.seen)
    assert await gateway.raw(f"POST {PATH}\r\n".encode(), timeout=0.7) == b""
    assert len(gateway.services.seen) == before


PATHS = {
    "/webhooks/../metrics": 400,
    "/webhooks/%2e%2e/metrics": 400,
    "/webhooks/.%2E/x": 400,
    "/webhooks/./x": 400,
    "/webhooks/..": 400,
    "/webhooks//x": 400,
    "//webhooks/x": 400,
    "/webhooks%2fx": 400,
    "/webhooks/a%2Fb": 400,
    "/webhooks/a%5cb": 400,
    "/webhooks/a\\b": 400,
    "/webhooks/a%00": 400,
    "/webhooks/a%0d%0aX-A:%201": 400,
    "/webhooks/a%7f": 400,
    "/webhooks/%252e%252e/metrics": 404,
    "/webhooks/a;b=c/..;/metrics": 404,
    "/webhooks/a#b": 400,
    "/WEBHOOKS/a": 404,
    "/webhooks": 404,
    "*": 404,
    "/webhooks/aHTTP/1.1": 404,
    "webhooks/a": 400,
    "http:/webhooks/a": 400,
    "http://": 400,
    "a:80": 400,
}


@pytest.mark.parametrize("target", PATHS)
async def test_paths_open_to_two_readings_lead_nowhere(gateway: Any, target: str) -> None:
    before = len(gateway.services.seen)
    request = f"POST {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    received = await gateway.raw(request.encode(), timeout=0.7)
    status = int(received.split()[1])
    assert status == PATHS[target], received
    assert orjson.loads(received.partition(b"\r\n\r\n")[2])["statusCode"] == status
    assert len(gateway.services.seen) == before


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Transfer-Encoding: chunked", b"5;name=value\r\nhello\r\n0;last\r\n\r\n"),
        (b"Transfer-Encoding: Chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"005\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"),
        (b"Content-Length: 005", b"hello"),
    ],
)
async def test_what_is_unusual_but_plain_arrives_as_one_request(gateway: Any, head: bytes, body: bytes) -> None:
    request = b"POST /webhooks/plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + head + b"\r\n\r\n" + body
    before = len(gateway.services.seen)
    received = await gateway.raw(request)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert len(gateway.services.seen) == before + 1
    seen = gateway.services.last("/webhooks/plain")
    assert seen.body == b"hello"
    assert (seen.header("content-length"), seen.header("transfer-encoding")) == ("5", None)
    assert seen.header("x-trailer") is None


async def test_what_a_client_says_about_itself_and_its_way_is_not_passed_on(gateway: Any) -> None:
    forged = [
        "Forwarded: for=6.6.6.6",
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-For: 7.7.7.7",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 1",
        "X-Forwarded-Prefix: /x",
        "X-Real-IP: 6.6.6.6",
        "True-Client-IP: 6.6.6.6",
        "X-Client-IP: 6.6.6.6",
        "Via: 1.1 evil",
        "X-Original-URL: /metrics",
        "X-Rewrite-URL: /metrics",
        "X-HTTP-Method-Override: DELETE",
        "X-Cobro-Admission: 1.forged",
        "X-Cobro-Service: payments",
        "x-cobro-anything: 1",
        "X-User-Id: admin",
        "X-Tenant-Id: other",
        "X_Forwarded_For: 6.6.6.6",
        "Content_Length: 99",
        "Baggage: a=b",
        "Tracestate: a=b",
        "Proxy-Authorization: Basic dTpw",
        "Proxy-Connection: keep-alive",
        "Keep-Alive: timeout=1",
        "TE: trailers",
        "Trailer: X-Cobro-Admission",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "X-Named: 1",
        "Connection: close, X-Named, X-Request-Id",
    ]
    lines = [
        "POST /webhooks/forged HTTP/1.1",
        "Host: evil.example",
        *forged,
        "Content-Length: 2",
        "X-Kept: 1",
        "",
        "{}",
    ]
    received = await gateway.raw("\r\n".join(lines).encode())
    assert received.startswith(b"HTTP/1.1 200 ")
    seen = gateway.services.last("/webhooks/forged")
    own = {"host", "content-length", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "traceparent"}
    assert {name for name, _ in seen.headers} == own | {"x-kept"}
    assert (seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")) == ("127.0.0.1", "http")
    assert "evil" not in (seen.header("host") or "")


async def test_hop_by_hop_headers_of_a_service_stay_behind(gateway: Any) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        headers = [
            (b"content-length", b"2"),
            (b"connection", b"keep-alive, x-named"),
            (b"x-named", b"1"),
            (b"keep-alive", b"timeout=5"),
            (b"upgrade", b"h2c"),
            (b"proxy-authenticate", b"Basic"),
            (b"alt-svc", b'h3=":443"'),
            (b"x-kept", b"1"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    gateway.services.on("/webhooks/hops", answer)
    answered = await gateway.client.post("/webhooks/hops", content=b"{}")
    assert answered.headers["x-kept"] == "1"
    assert not {"connection", "x-named", "keep-alive", "upgrade", "proxy-authenticate", "alt-svc"} & set(
        answered.headers
    )
