from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from chassis.outbound import AnswerTooLarge, CircuitOpen, NoAnswer, NotSent, OutboundClient, RateBound, Throttled
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY

SECRET = "Bearer s3cret-key"
CARD = "4242" * 4


class Peer:
    """A server that does to a request what its path says, and remembers what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        match request.path:
            case "/hang":
                await asyncio.sleep(1.5)
            case "/hangup":
                assert request.transport is not None
                request.transport.close()
            case "/cut":
                response = web.StreamResponse(headers={"Content-Length": "100"})
                await response.prepare(request)
                await response.write(b"half")
                assert request.transport is not None
                request.transport.close()
                return response
            case "/big":
                return web.Response(body=b"x" * 5000)
            case "/moved":
                return web.Response(status=302, headers={"Location": "/elsewhere"})
        return web.json_response({"ok": True}, status=self.status, headers={"Set-Cookie": "a=b"})


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, str]]:
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", peer.handle)
    async with TestServer(app) as server:
        yield peer, f"http://{server.host}:{server.port}"


def make_client(url: str, **options: object) -> OutboundClient:
    return OutboundClient("peer", url, headers={"Authorization": SECRET}, **{"timeout": 0.5, **options})  # type: ignore[arg-type]


def outcomes(outcome: str, operation: str) -> float:
    labels = {"peer": "peer", "operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("cobro_outbound_requests_total", labels) or 0.0


async def test_sends_json_with_default_headers(peer: tuple[Peer, str]) -> None:
    before = outcomes("2xx", "things.create")
    async with make_client(peer[1] + "/prefix/") as client:
        answer = await client.request(
            "POST", "/things", operation="things.create", json={"ñ": "1.50"}, params={"q": "a b&c"}
        )
    method, path, headers, body = peer[0].seen[0]
    assert (method, path) == ("POST", "/prefix/things?q=a+b%26c")
    assert headers["Authorization"] == SECRET
    assert headers["Content-Type"] == "application/json"
    assert body == '{"ñ":"1.50"}'.encode()
    assert answer.status == 200
    assert answer.json() == {"ok": True}
    assert outcomes("2xx", "things.create") == before + 1


async def test_sends_a_form(peer: tuple[Peer, str]) -> None:
    async with make_client(peer[1]) as client:
        await client.request("POST", "/form", data={"To": "+52 55"})
    assert peer[0].seen[0][3] == b"To=%2B52+55"


async def test_basic_credentials(peer: tuple[Peer, str]) -> None:
    async with OutboundClient("peer", peer[1], auth=("user", "pässword")) as client:
        await client.request("GET", "/")
    assert peer[0].seen[0][2]["Authorization"] == "Basic dXNlcjpww6Rzc3dvcmQ="


async def test_carries_the_trace(peer: tuple[Peer, str]) -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("call") as span:
        async with make_client(peer[1]) as client:
            await client.request("GET", "/")
    trace_id = trace.format_trace_id(span.get_span_context().trace_id)
    assert trace_id in peer[0].seen[0][2]["traceparent"]


async def test_neither_follows_redirects_nor_keeps_cookies(peer: tuple[Peer, str]) -> None:
    async with make_client(peer[1]) as client:
        answer = await client.request("GET", "/moved")
        await client.request("GET", "/again")
    assert answer.status == 302
    assert [path for _, path, _, _ in peer[0].seen] == ["/moved", "/again"]
    assert "Cookie" not in peer[0].seen[1][2]


async def test_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with make_client(f"http://127.0.0.1:{taken.getsockname()[1]}") as client:
            with pytest.raises(NotSent):
                await client.request("POST", "/")


async def test_unknown_host_is_not_sent() -> None:
    async with make_client("http://nowhere.invalid") as client:
        with pytest.raises(NotSent):
            await client.request("POST", "/")


async def test_connection_that_is_never_accepted_is_not_sent() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        # Fill the accept queue, so that the next handshake gets no answer.
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        async with make_client(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_timeout=0.2, timeout=5) as client:
            with pytest.raises(NotSent):
                await client.request("POST", "/")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("path", ["/hang", "/hangup", "/cut"])
async def test_an_answer_that_never_comes_is_unknown(peer: tuple[Peer, str], path: str) -> None:
    async with make_client(peer[1]) as client:
        with pytest.raises(NoAnswer):
            await client.request("POST", path, json={"amount": "1"})
    assert len(peer[0].seen) == 1


async def test_too_large_an_answer_is_no_answer(peer: tuple[Peer, str]) -> None:
    async with make_client(peer[1], max_body=4999) as client:
        with pytest.raises(AnswerTooLarge):
            await client.request("GET", "/big")
    async with make_client(peer[1], max_body=5000) as client:
        assert len((await client.request("GET", "/big")).body) == 5000


@pytest.mark.parametrize("path", ["/hang", "/hangup"])
async def test_failures_show_no_secret(peer: tuple[Peer, str], path: str) -> None:
    async with make_client(peer[1]) as client:
        with pytest.raises(NoAnswer) as caught:
            await client.request("POST", path, json={"card": CARD})
    seen: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))
        error = error.__context__
    text = "".join(seen)
    assert "s3cret" not in text
    assert CARD not in text
    assert caught.value.__context__ is None


async def test_circuit_opens_and_a_probe_closes_it(peer: tuple[Peer, str]) -> None:
    now = [0.0]
    peer[0].status = 503
    before = outcomes("5xx", "probe")
    async with make_client(peer[1], failure_threshold=3, open_seconds=5, now=lambda: now[0]) as client:
        for _ in range(3):
            await client.request("GET", "/", operation="probe")
        with pytest.raises(CircuitOpen) as caught:
            await client.request("GET", "/", operation="probe")
        assert caught.value.retry_after == 5
        assert len(peer[0].seen) == 3
        peer[0].status = 200
        now[0] = 5.0
        assert (await client.request("GET", "/", operation="probe")).status == 200
        assert (await client.request("GET", "/", operation="probe")).status == 200
    assert outcomes("5xx", "probe") == before + 3


async def test_a_cancelled_probe_does_not_keep_the_circuit_open(peer: tuple[Peer, str]) -> None:
    now = [0.0]
    async with make_client(peer[1], failure_threshold=1, open_seconds=5, now=lambda: now[0], timeout=5) as client:
        peer[0].status = 500
        await client.request("GET", "/")
        peer[0].status = 200
        now[0] = 5.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.request("GET", "/hang")
        assert (await client.request("GET", "/")).status == 200


async def test_client_errors_do_not_open_the_circuit(peer: tuple[Peer, str]) -> None:
    peer[0].status = 422
    async with make_client(peer[1], failure_threshold=2) as client:
        for _ in range(5):
            assert (await client.request("GET", "/")).status == 422


async def test_more_requests_than_allowed_wait_briefly_or_are_not_sent(peer: tuple[Peer, str]) -> None:
    before = outcomes("throttled", "bounded")
    async with make_client(peer[1], rate=RateBound(20, max_wait=0.1)) as client:
        done = await asyncio.gather(
            *(client.request("GET", "/", operation="bounded") for _ in range(30)), return_exceptions=True
        )
    refused = [error for error in done if isinstance(error, Throttled)]
    assert all(0 < error.retry_after < 1 for error in refused)
    assert len(peer[0].seen) + len(refused) == 30
    assert 20 <= len(peer[0].seen) <= 24
    assert outcomes("throttled", "bounded") == before + len(refused)


async def test_being_throttled_says_nothing_about_the_peer(peer: tuple[Peer, str]) -> None:
    """Neither does it open the circuit, nor keep the place of the probe that would close it."""
    now = [0.0]
    rate = RateBound(1, max_wait=0, now=lambda: now[0])
    async with make_client(peer[1], failure_threshold=1, open_seconds=0.5, now=lambda: now[0], rate=rate) as client:
        peer[0].status = 500
        await client.request("GET", "/")
        now[0] = 0.6
        for _ in range(3):
            with pytest.raises(Throttled):
                await client.request("GET", "/")
        peer[0].status = 200
        now[0] = 1.1
        assert (await client.request("GET", "/")).status == 200


async def test_the_circuit_of_one_peer_is_not_that_of_another(peer: tuple[Peer, str]) -> None:
    peer[0].status = 500
    async with make_client(peer[1], failure_threshold=1) as failing, make_client(peer[1], failure_threshold=1) as other:
        await failing.request("GET", "/")
        with pytest.raises(CircuitOpen):
            await failing.request("GET", "/")
        peer[0].status = 200
        assert (await other.request("GET", "/")).status == 200
