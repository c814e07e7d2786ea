"""Rotating the signing key in three deploys, against verifiers that run all the while and ask over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from auth.keys.keyring import Keyring
from auth.sessions.tokens import AccessTokens
from chassis.auth import TokenVerifier
from chassis.auth.jwks import JwksClient
from chassis.testing.tokens import make_principal
from kernel import Unauthenticated

pytestmark = pytest.mark.integration


def seed() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def token(keyring: Keyring) -> str:
    tokens = AccessTokens(keyring, issuer="cobro", audience="cobro")
    return tokens.issue(make_principal(), at=datetime.now(UTC))


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[tuple[str, list[str]]]:
    """The application on a port, and the paths that were asked for."""
    asked: list[str] = []

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await app(scope, receive, send)

    config = uvicorn.Config(counted, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/.well-known/jwks.json", asked
    finally:
        server.should_exit = True
        await task


async def accepts(verifier: TokenVerifier, value: str) -> bool:
    try:
        await verifier.verify(value)
    except Unauthenticated:
        return False
    return True


async def test_no_client_notices_a_rotation(
    sut: Any, altered: Callable[..., AbstractContextManager[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = seed(), seed()
    before, published, swapped, after = Keyring(old), Keyring(old, [new]), Keyring(new, [old]), Keyring(new)
    transport = sut.client._transport
    assert isinstance(transport, httpx.ASGITransport)

    async with listening(transport.app) as (url, asked):

        def verifier() -> TokenVerifier:
            # Each as a service of its own, which has verified nothing yet but knows its keys.
            return TokenVerifier(client, issuer="cobro", audience="cobro")

        client = JwksClient(url)
        with altered(keyring=before):
            of_old_key = token(before)
            assert await accepts(verifier(), of_old_key)
            assert len(asked) == 1
            # Nobody signs with it yet, and nobody would be believed.
            assert not await accepts(verifier(), token(after))

        with altered(keyring=published):
            assert published.signing_key_id == before.signing_key_id
            monkeypatch.setattr("chassis.auth.jwks._REFRESH_EVERY", 0.0)  # as if five minutes had passed
            await client.keep_fresh()
            monkeypatch.undo()

        with altered(keyring=swapped):
            assert swapped.signing_key_id == after.signing_key_id != before.signing_key_id
            seen = len(asked)
            assert await accepts(verifier(), token(swapped))
            assert await accepts(verifier(), of_old_key)
            assert len(asked) == seen  # the new key was there before its first token

        with altered(keyring=after):
            monkeypatch.setattr("chassis.auth.jwks._REFRESH_EVERY", 0.0)
            await client.keep_fresh()
            monkeypatch.undo()
            assert await accepts(verifier(), token(after))
            assert not await accepts(verifier(), of_old_key)


async def test_a_key_that_signs_before_it_was_seen_costs_one_question(
    sut: Any, altered: Callable[..., AbstractContextManager[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation in haste: many requests with a key id that no verifier knows ask once, and all are served."""
    before, swapped = Keyring(old := seed()), Keyring(seed(), [old])
    transport = sut.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    async with listening(transport.app) as (url, asked):
        client = JwksClient(url)
        verifier = TokenVerifier(client, issuer="cobro", audience="cobro")
        with altered(keyring=before):
            assert await accepts(verifier, token(before))
        monkeypatch.setattr("chassis.auth.jwks._RETRY_UNKNOWN_AFTER", 0.0)  # as if seconds had passed
        with altered(keyring=swapped):
            values = [token(swapped) for _ in range(50)]
            assert all(await asyncio.gather(*(accepts(verifier, value) for value in values)))
            assert len(asked) == 2
        monkeypatch.undo()
        strangers = [token(Keyring(seed())) for _ in range(50)]
        assert not any(await asyncio.gather(*(accepts(verifier, value) for value in strangers)))
        assert len(asked) == 2


async def test_new_key_prints_a_seed_and_its_key_id_without_any_settings() -> None:
    async def run() -> list[str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "auth", "new-key"), env={}, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().split()

    first, second = await run(), await run()
    assert [first[0], first[2], len(first)] == ["seed", "kid", 4]
    assert Keyring(first[1]).signing_key_id == first[3]
    assert first[1] != second[1]
