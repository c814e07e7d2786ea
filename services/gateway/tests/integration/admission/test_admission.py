"""Tokens, sessions and limits, with Redis and auth there and away."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chassis.testing.tokens import TokenFactory, make_principal
from redis.asyncio import Redis

pytestmark = pytest.mark.integration

ME = "/api/v1/auth/me"


@pytest.fixture(scope="module")
async def redis() -> AsyncIterator[Redis]:
    client = Redis.from_url(os.environ["TEST_REDIS_URL"])
    yield client
    await client.aclose()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def code(gateway: Any, headers: dict[str, str], path: str = ME) -> tuple[int, str | None]:
    answer = await gateway.client.get(path, headers=headers)
    return answer.status_code, answer.json().get("code")


async def test_without_a_good_token_nothing_passes(gateway: Any) -> None:
    stranger = TokenFactory()
    bad = {
        "none": {},
        "scheme only": {"authorization": "Bearer"},
        "basic": {"authorization": "Basic dTpw"},
        "garbage": {"authorization": "Bearer a.b.c"},
        "bytes": {"authorization": "Bearer \xff\xfe"},
        "expired": gateway.bearer(lifetime=-10),
        "another audience": gateway.bearer(aud="other"),
        "another issuer": gateway.bearer(iss="other"),
        "another key": {"authorization": f"Bearer {stranger.issue(make_principal())}"},
        "no role": gateway.bearer(role="EMPEROR"),
        "long": {"authorization": f"Bearer {'a' * 17_000}"},
    }
    for name, headers in bad.items():
        encoded = {key: value.encode("latin-1") for key, value in headers.items()}
        answer = await gateway.client.get(ME, headers=encoded)
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer", name
        assert answer.json()["code"] in {"token_missing", "token_invalid", "token_expired"}, name
    assert gateway.services.count(ME) == 0


async def test_an_unknown_path_is_404_before_any_token_is_looked_at(gateway: Any) -> None:
    answer = await gateway.client.get("/api/v1/unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


async def test_a_session_is_asked_once_and_then_known_to_redis(gateway: Any, redis: Redis) -> None:
    caller = make_principal()
    headers = gateway.bearer(caller)
    for _ in range(3):
        assert (await code(gateway, headers))[0] == 200
    session = str(caller.session_id)
    assert gateway.sessions.asked.count(session) == 1
    assert await redis.get(f"session:{session}") == b"1"
    assert 0 < await redis.ttl(f"session:{session}") <= 900


async def test_a_revocation_written_by_auth_counts_at_once(gateway: Any, redis: Redis) -> None:
    caller = make_principal()
    headers = gateway.bearer(caller)
    assert (await code(gateway, headers))[0] == 200
    await redis.set(f"session:{caller.session_id}", "0", ex=960)
    assert await code(gateway, headers) == (401, "session_revoked")


async def test_a_session_that_auth_knows_as_ended_is_refused_and_remembered(gateway: Any, redis: Redis) -> None:
    caller = make_principal()
    gateway.sessions.ended.add(str(caller.session_id))
    headers = gateway.bearer(caller)
    for _ in range(2):
        assert await code(gateway, headers) == (401, "session_revoked")
    assert gateway.sessions.asked.count(str(caller.session_id)) == 1
    assert await redis.get(f"session:{caller.session_id}") == b"0"


async def test_scripts_flushed_from_redis_are_loaded_again(gateway: Any, redis: Redis) -> None:
    await redis.script_flush()
    assert (await code(gateway, gateway.bearer()))[0] == 200


async def test_a_connection_killed_in_redis_is_made_again(gateway: Any, redis: Redis) -> None:
    headers = gateway.bearer()
    assert (await code(gateway, headers))[0] == 200
    await redis.client_kill_filter(_type="normal", skipme=True)
    for _ in range(5):
        assert (await code(gateway, headers))[0] == 200


async def test_api_limits_count_per_user(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_LIMIT_API="60/60:3") as gateway:
        first, second = gateway.bearer(), gateway.bearer()
        answers = [await gateway.client.get(ME, headers=first) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"api";q=60;w=60'
        assert answers[0].headers["ratelimit"].startswith('"api";r=2;t=')
        limited = answers[3]
        assert limited.json()["code"] == "rate_limited"
        assert limited.headers["ratelimit"].startswith('"api";r=0;t=')
        assert 1 <= int(limited.headers["retry-after"]) <= 2
        assert (await gateway.client.get(ME, headers=second)).status_code == 200
        assert gateway.services.count(ME) == 4


async def test_public_limits_count_per_address_and_class(start_gateway: Any, redis: Redis) -> None:
    async with start_gateway(
        GATEWAY_LIMIT_LOGIN="1/3600:2", GATEWAY_TRUSTED_PROXIES="127.0.0.1/32", BLIND_INDEX_KEY=_fresh_key()
    ) as gateway:

        async def login(address: str) -> int:
            headers = {"x-forwarded-for": address}
            return int((await gateway.client.post("/api/v1/auth/login", json={}, headers=headers)).status_code)

        assert [await login("1.1.1.1") for _ in range(3)] == [200, 200, 429]
        assert await login("2.2.2.2") == 200
        assert [await login(f"2001:db8::{number}") for number in range(1, 4)] == [200, 200, 429]
        assert (await gateway.client.post("/api/v1/auth/refresh", json={})).status_code == 200
        assert gateway.services.last("/api/v1/auth/login").header("x-forwarded-for") == "2001:db8::2"
        keys = [key async for key in redis.scan_iter(match="limit:*")]
        assert not any(b"1.1.1.1" in key for key in keys)


async def test_guessing_tokens_is_limited_per_address(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_LIMIT_PUBLIC="1/3600:3", BLIND_INDEX_KEY=_fresh_key()) as gateway:
        statuses = [(await code(gateway, {"authorization": "Bearer a.b.c"}))[0] for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await code(gateway, gateway.bearer()))[0] == 200


async def test_concurrent_requests_never_pass_more_than_the_burst(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_LIMIT_API="1/3600:10") as gateway:
        headers = gateway.bearer()
        statuses = await asyncio.gather(*(code(gateway, headers) for _ in range(40)))
        assert sorted(status for status, _ in statuses) == [200] * 10 + [429] * 30


async def test_redis_down_limits_per_process_and_auth_answers_for_sessions(start_gateway: Any) -> None:
    url = f"redis://127.0.0.1:{closed_port()}"
    async with start_gateway(REDIS_URL=url, GATEWAY_LIMIT_API="1/3600:3") as gateway:
        ended, caller = make_principal(), make_principal()
        gateway.sessions.ended.add(str(ended.session_id))
        assert await code(gateway, gateway.bearer(ended)) == (401, "session_revoked")
        headers = gateway.bearer(caller)
        assert [(await code(gateway, headers))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        assert gateway.sessions.asked.count(str(caller.session_id)) == 1
        ready = await gateway.client.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]) == (200, {"redis": False})


async def test_redis_frozen_costs_a_quarter_second_once_and_not_per_request(start_gateway: Any) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with start_gateway(REDIS_URL=url) as gateway:
            headers = gateway.bearer()
            started = asyncio.get_running_loop().time()
            for _ in range(20):
                assert (await code(gateway, headers))[0] == 200
            assert asyncio.get_running_loop().time() - started < 3
    finally:
        server.close()


async def test_redis_and_auth_down_refuses_what_was_never_confirmed(start_gateway: Any) -> None:
    down = {"REDIS_URL": f"redis://127.0.0.1:{closed_port()}", "AUTH_GRPC_TARGET": f"127.0.0.1:{closed_port()}"}
    async with start_gateway(**down) as gateway:
        answer = await gateway.client.get(ME, headers=gateway.bearer())
        assert (answer.status_code, answer.json()["code"]) == (503, "auth_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert (await gateway.client.post("/webhooks/conekta", content=b"{}")).status_code == 200
        assert gateway.services.count(ME) == 0


async def test_keys_that_cannot_be_fetched_refuse_every_token(start_gateway: Any) -> None:
    async with start_gateway(JWKS_URL=f"http://127.0.0.1:{closed_port()}/jwks.json") as gateway:
        assert await code(gateway, gateway.bearer()) == (503, "auth_unavailable")


def _fresh_key() -> str:
    """A key under which this test's addresses have been counted by nobody else."""
    import base64

    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
