"""The guard at the moment of sending, against a real server of this machine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from webhooks.deliveries.egress import Answered, Egress
from webhooks.deliveries.status import Outcome
from webhooks.endpoints.destinations import GuardedResolver, Policy

pytestmark = pytest.mark.integration

LOOPBACK = Policy(allow_loopback=True)


class Peer:
    """Answers every connection with the same bytes, after a while, in pieces; counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self.pieces: Sequence[bytes] = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",)
        self.pause = 0.0
        self.hang = False
        self.port = 0
        self.received = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.received = await reader.readuntil(b"\r\n\r\n")
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self.pause)
            if self.hang:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    async with server:
        yield peer


class Names:
    """A resolver that gives each of its answers once, and the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


async def posted(url: str, *, names: Names | None = None, policy: Policy = LOOPBACK, seconds: float = 2) -> Answered:
    resolver = GuardedResolver(policy, at_once=2, lookup=names or Names("127.0.0.1"))
    egress = Egress(policy, resolver, time_limit=seconds)
    try:
        return await egress.post(url, b"{}", {"webhook-id": "1"})
    finally:
        await egress.close()


async def test_a_name_is_looked_up_once_and_that_address_connected_to(peer: Peer) -> None:
    names = Names("127.0.0.1", "10.0.0.1")

    answered = await posted(f"http://localhost:{peer.port}/x", names=names)

    assert (answered.outcome, answered.status_code, answered.answer) == (Outcome.DELIVERED, 200, b"ok")
    assert (names.asked, peer.connections) == (1, 1)
    assert b"Host: localhost" in peer.received


async def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(peer: Peer) -> None:
    names = Names("127.0.0.1", "10.0.0.1")
    resolver = GuardedResolver(LOOPBACK, at_once=2, lookup=names)
    egress = Egress(LOOPBACK, resolver)
    url = f"http://localhost:{peer.port}/"

    first, second = await egress.post(url, b"{}", {}), await egress.post(url, b"{}", {})
    await egress.close()

    assert (first.outcome, second.outcome) == (Outcome.DELIVERED, Outcome.REFUSED)
    assert (names.asked, peer.connections) == (2, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "https://localhost:{port}/", "http://[::1]:{port}/"])
async def test_what_was_stored_is_looked_at_again(peer: Peer, url: str) -> None:
    """Whatever got into the table, and however."""
    answered = await posted(url.format(port=peer.port), policy=Policy())

    assert (answered.outcome, peer.connections) == (Outcome.REFUSED, 0)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_a_public_name_of_a_private_address(peer: Peer, address: str) -> None:
    policy = Policy(frozenset({peer.port}))

    answered = await posted(f"https://hooks.example.com:{peer.port}/", names=Names(address), policy=policy)

    assert (answered.outcome, peer.connections) == (Outcome.REFUSED, 0)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Outcome.DELIVERED),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", Outcome.REDIRECTED),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Outcome.GONE),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Outcome.REJECTED),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome.NO_ANSWER),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", Outcome.NO_ANSWER),
        (b"", Outcome.NO_ANSWER),
    ],
)
async def test_answers(peer: Peer, answer: bytes, outcome: Outcome) -> None:
    peer.pieces = (answer,)

    assert (await posted(f"http://127.0.0.1:{peer.port}/")).outcome is outcome
    assert peer.connections == 1


async def test_nobody_there(unused_tcp_port: int) -> None:
    assert (await posted(f"http://127.0.0.1:{unused_tcp_port}/")).outcome is Outcome.UNREACHABLE


async def test_who_does_not_answer_in_time(peer: Peer) -> None:
    peer.pieces, peer.hang = (), True

    answered = await posted(f"http://127.0.0.1:{peer.port}/", seconds=0.2)

    assert answered.outcome is Outcome.TIMED_OUT
    assert 0.15 < answered.seconds < 2


async def test_a_header_that_comes_drop_by_drop(peer: Peer) -> None:
    peer.pieces, peer.pause = [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 100], 0.05

    assert (await posted(f"http://127.0.0.1:{peer.port}/", seconds=0.3)).outcome is Outcome.TIMED_OUT


async def test_a_body_that_comes_drop_by_drop_or_never_ends(peer: Peer) -> None:
    peer.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", *[b"x" * 10] * 1000]
    peer.pause = 0.05

    answered = await posted(f"http://127.0.0.1:{peer.port}/", seconds=10)

    assert answered.outcome is Outcome.DELIVERED
    assert answered.answer.startswith(b"xxxxxxxxxx")
    peer.pause, peer.pieces = 0, [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65_536] * 200]
    assert len((await posted(f"http://127.0.0.1:{peer.port}/")).answer) == 2048


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("120", 120, 120),
        (timedelta(hours=1), 3500, 3600),
        (timedelta(hours=-1), None, None),
        ("-1", None, None),
        ("soon", None, None),
        ("9" * 50, None, None),
        ("Thu, 99 Jan 99999 00:00:00 GMT", None, None),
    ],
)
async def test_retry_after(peer: Peer, value: str | timedelta, low: int | None, high: int | None) -> None:
    if isinstance(value, timedelta):
        value = format_datetime(datetime.now(UTC) + value)
    peer.pieces = (f"HTTP/1.1 503 Later\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode(),)

    wait = (await posted(f"http://127.0.0.1:{peer.port}/")).retry_after

    if low is None or high is None:
        assert wait is None
    else:
        assert wait is not None
        assert low <= wait.total_seconds() <= high
