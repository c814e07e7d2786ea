"""The public keys of auth over real HTTP: fetched ahead, kept while auth is away, asked for once by all who wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from chassis.auth.jwks import JwksClient
from chassis.testing.tokens import TokenFactory
from kernel import Unavailable

pytestmark = pytest.mark.integration


class Auth(ThreadingHTTPServer):
    """Answers with the keys of a factory; held back until `go` is set."""

    def __init__(self, factory: TokenFactory) -> None:
        self.asked = 0
        self.go = threading.Event()
        self.go.set()
        self.reached = threading.Event()
        public = {**factory.key.as_dict(private=False), "kid": factory.kid}
        self.document = orjson.dumps({"keys": [public]})
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/.well-known/jwks.json"


class _Handler(BaseHTTPRequestHandler):
    server: Auth

    def do_GET(self) -> None:
        self.server.asked += 1
        self.server.reached.set()
        self.server.go.wait(5)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.document)))
        self.end_headers()
        self.wfile.write(self.server.document)

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


@pytest.fixture
def factory() -> TokenFactory:
    return TokenFactory()


@pytest.fixture
def auth(factory: TokenFactory) -> Iterator[Auth]:
    server = Auth(factory)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


async def test_keys_fetched_ahead_serve_while_auth_is_away(auth: Auth, factory: TokenFactory) -> None:
    client = JwksClient(auth.url)
    await client.keep_fresh()
    await client.keep_fresh()
    assert auth.asked == 1
    await asyncio.to_thread(auth.shutdown)
    auth.server_close()
    assert await client.key(factory.kid) is not None


async def test_all_who_wait_ask_once(auth: Auth, factory: TokenFactory) -> None:
    client = JwksClient(auth.url)
    auth.go.clear()
    waiting = [asyncio.create_task(client.key(factory.kid)) for _ in range(20)]
    await asyncio.to_thread(auth.reached.wait, 5)
    auth.go.set()
    assert all(await asyncio.gather(*waiting))
    assert auth.asked == 1


async def test_without_any_keys_all_who_wait_are_told_after_one_try() -> None:
    client = JwksClient("http://127.0.0.1:1/.well-known/jwks.json")
    answers = await asyncio.gather(*(client.key("unknown") for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}


async def test_a_key_that_auth_does_not_know_is_none(auth: Auth) -> None:
    assert await JwksClient(auth.url).key("unknown") is None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"null",
        b'{"keys": null}',
        b'{"keys": [7]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "x"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": "!!"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    ],
)
async def test_what_is_no_key_set_leaves_the_known_keys_as_they_are(
    auth: Auth, factory: TokenFactory, document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = JwksClient(auth.url)
    assert await client.key(factory.kid) is not None
    monkeypatch.setattr("chassis.auth.jwks._RETRY_UNKNOWN_AFTER", 0.0)
    auth.document = document
    assert await client.key("another") is None
    assert auth.asked == 2
    assert await client.key(factory.kid) is not None


async def test_keys_for_other_uses_are_passed_over(auth: Auth, factory: TokenFactory) -> None:
    document = orjson.loads(auth.document)
    document["keys"] += [
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "kid": "hmac", "k": "c2VjcmV0"},
        {**document["keys"][0], "kid": "encryption", "use": "enc"},
    ]
    auth.document = orjson.dumps(document)
    client = JwksClient(auth.url)
    assert await client.key(factory.kid) is not None
    assert [await client.key(kid) for kid in ("rsa", "hmac", "encryption")] == [None, None, None]
    assert auth.asked == 1
