from __future__ import annotations

import pytest
from gateway.proxy.headers import SECURITY, Headers, read_request, response_headers
from kernel import InvalidInput

HOST = (b"host", b"api.example.com")


def refused(headers: Headers, version: str = "1.1") -> str:
    with pytest.raises(InvalidInput) as error:
        read_request(headers, http_version=version)
    return error.value.code


@pytest.mark.parametrize(
    "name",
    [
        b"connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-authorization", b"expect",
        b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"via", b"x-real-ip",
        b"x-user-id", b"x-tenant-id", b"x-cobro-service", b"x_forwarded_for", b"traceparent", b"tracestate", b"baggage",
        b"x-original-url", b"x-http-method-override", b"host",
    ],
)  # fmt: skip
def test_headers_that_are_not_the_clients_to_set_go_no_further(name: bytes) -> None:
    others = [] if name == b"host" else [HOST]
    incoming = read_request([*others, (name, b"example.com"), (b"x-mine", b"1")])
    assert incoming.forward == [(b"x-mine", b"1")]


def test_headers_named_by_connection_are_dropped() -> None:
    incoming = read_request([HOST, (b"x-a", b"1"), (b"x-b", b"2"), (b"connection", b"close, X-A")])
    assert incoming.forward == [(b"x-b", b"2")]


def test_repeated_ordinary_headers_keep_their_order() -> None:
    headers = [(b"accept", b"a"), (b"x-n", b"1"), (b"accept", b"b")]
    assert read_request([HOST, *headers]).forward == headers


@pytest.mark.parametrize("value", [b"+5", b"-1", b"5, 5", b"0x5", b"", b" ", b"5 5", b"1" * 16, b"\xb2"])
def test_lengths_that_are_not_numbers_are_refused(value: bytes) -> None:
    assert refused([HOST, (b"content-length", value)]) == "framing_invalid"


def test_ambiguous_framing_is_refused() -> None:
    length, chunked = (b"content-length", b"5"), (b"transfer-encoding", b"chunked")
    assert refused([HOST, length, length]) == "framing_invalid"
    assert refused([HOST, chunked, chunked]) == "framing_invalid"
    assert refused([HOST, length, chunked]) == "framing_invalid"
    assert refused([HOST, chunked], "1.0") == "framing_invalid"
    for coding in (b"gzip, chunked", b"chunked, identity", b"xchunked", b"chunked;q=1"):
        assert refused([HOST, (b"transfer-encoding", coding)]) == "framing_invalid"


@pytest.mark.parametrize("name", [b"authorization", b"host", b"content-type", b"idempotency-key"])
def test_headers_that_may_come_once(name: bytes) -> None:
    others = [] if name == b"host" else [HOST]
    assert refused([*others, (name, b"a"), (name, b"a")]) == "header_duplicate"


@pytest.mark.parametrize("host", [b"", b"a b", b"a@b", b"a/b", b"a:b", b"a,b", b"[::1", b"http://a"])
def test_hosts_that_are_none_are_refused(host: bytes) -> None:
    assert refused([(b"host", host)]) == "host_invalid"


def test_host_is_needed_since_http_1_1() -> None:
    assert refused([]) == "host_invalid"
    read_request([], http_version="1.0")
    for host in (b"localhost:8080", b"[::1]:80", b"api.example.com", b"10.0.0.1"):
        read_request([(b"host", host)])


def test_only_plain_request_ids_are_taken_over() -> None:
    assert read_request([HOST, (b"x-request-id", b"abc-DEF_123")]).request_id == "abc-DEF_123"
    for value in (b"short", b"x" * 65, b"a b c d e f", b"'; DROP TABLE", b"\xff" * 10):
        assert read_request([HOST, (b"x-request-id", value)]).request_id is None


def test_whether_there_is_a_body() -> None:
    assert not read_request([HOST]).has_body
    assert not read_request([HOST, (b"content-length", b"0")]).has_body
    assert read_request([HOST, (b"content-length", b"1")]).has_body
    assert read_request([HOST, (b"transfer-encoding", b"Chunked")]).has_body


def test_a_services_answer_loses_what_concerns_the_connection_and_gains_the_missing_defaults() -> None:
    given = [
        (b"connection", b"keep-alive, x-internal"),
        (b"x-internal", b"1"),
        (b"server", b"uvicorn"),
        (b"date", b"now"),
        (b"x-request-id", b"theirs"),
        (b"cache-control", b"public"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
    ]
    kept = response_headers(given, SECURITY)
    assert [pair for pair in kept if pair in given] == [
        (b"cache-control", b"public"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
    ]
    assert sum(name == b"cache-control" for name, _ in kept) == 1
    assert (b"x-content-type-options", b"nosniff") in kept
