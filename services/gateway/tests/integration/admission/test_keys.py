"""The keys of auth at the gateway: fetched once for all who wait, rotated without anybody noticing."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from chassis.testing.tokens import TokenFactory, make_principal

pytestmark = pytest.mark.integration

ME = "/api/v1/auth/me"
JWKS = "/.well-known/jwks.json"


class Keys:
    """auth's key set, counting who asks for it."""

    def __init__(self, *factories: TokenFactory) -> None:
        self.factories = list(factories)
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await asyncio.sleep(0.05)
        keys = [{**factory.key.as_dict(private=False), "kid": factory.kid} for factory in self.factories]
        body = orjson.dumps({"keys": keys})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


async def ask(gateway: Any, tokens: TokenFactory) -> int:
    return await show(gateway, tokens.issue(make_principal()))


async def show(gateway: Any, token: str) -> int:
    return int((await gateway.client.get(ME, headers={"authorization": f"Bearer {token}"})).status_code)


async def test_a_new_key_is_fetched_once_for_all_who_wait(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_UPSTREAM_CONNECTIONS="300") as gateway:
        old, new = gateway.tokens, TokenFactory()
        keys = Keys(old)
        gateway.services.handlers[JWKS] = keys
        assert await ask(gateway, old) == 200
        await asyncio.sleep(2.1)  # an unknown key is asked for every two seconds
        keys.factories, keys.asked = [new, old], 0
        caller = make_principal()  # one session, so that only the key is asked for
        many = [new.issue(caller) for _ in range(200)]
        assert await asyncio.gather(*(show(gateway, token) for token in many)) == [200] * 200
        assert keys.asked == 1
        # The overlap: what the old key has signed is good as long as auth shows it.
        assert await asyncio.gather(ask(gateway, old), ask(gateway, new)) == [200, 200]
        assert keys.asked == 1


async def test_invented_keys_do_not_reach_auth(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        keys = Keys(gateway.tokens)
        gateway.services.handlers[JWKS] = keys
        assert await ask(gateway, gateway.tokens) == 200
        await asyncio.sleep(2.1)
        invented = [TokenFactory().issue(make_principal()) for _ in range(250)]
        loop = asyncio.get_running_loop()
        keys.asked, started = 0, loop.time()
        assert set(await asyncio.gather(*(show(gateway, token) for token in invented[:200]))) == {401}
        assert 1 <= keys.asked <= 1 + (loop.time() - started) // 2
        # And nobody with a real token waits for them.
        spam = asyncio.gather(*(show(gateway, token) for token in invented[200:]))
        started = loop.time()
        assert await ask(gateway, gateway.tokens) == 200
        assert loop.time() - started < 2
        await spam


async def test_a_key_that_auth_no_longer_shows_verifies_nothing(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        old, new = gateway.tokens, TokenFactory()
        keys = Keys(new)
        gateway.services.handlers[JWKS] = keys
        assert await ask(gateway, new) == 200
        assert await ask(gateway, old) == 401
