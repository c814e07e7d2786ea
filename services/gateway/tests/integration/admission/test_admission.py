"""Tokens, sessions and limits, with Redis and auth there and away."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chassis.auth.admission import AdmissionSeal
from chassis.testing.service import COMMON
from chassis.testing.tokens import TokenFactory, make_principal
from kernel import new_id
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


async def test_api_limits_count_per_business_too(start_gateway: Any) -> None:
    first, second = new_id(), new_id()
    async with start_gateway(GATEWAY_LIMIT_API="60/60:10", GATEWAY_LIMIT_BUSINESS="60/60:3") as gateway:
        owner, colleague = (gateway.bearer(make_principal(owns=[first])) for _ in range(2))
        elsewhere = gateway.bearer(make_principal(owns=[first, second]))
        answers = [await gateway.client.get(ME, headers=headers) for headers in (owner, colleague, owner, colleague)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"api";q=60;w=60, "business";q=60;w=60'
        states = [answer.headers["ratelimit"].split(", ") for answer in answers]
        assert [(user[:9], business[:14]) for user, business in states] == [
            ('"api";r=9', '"business";r=2'),
            ('"api";r=9', '"business";r=1'),
            ('"api";r=8', '"business";r=0'),
            ('"api";r=9', '"business";r=0'),  # refused by the one limit, and so not charged to the other
        ]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 2
        assert (await code(gateway, elsewhere))[0] == 200
        assert (await code(gateway, elsewhere, f"/api/v1/sales?businessId={second}"))[0] == 200
        assert (await code(gateway, elsewhere, f"/api/v1/sales?businessId={first}"))[0] == 429


async def test_a_removed_member_cannot_use_up_the_limit_of_the_business(start_gateway: Any, redis: Redis) -> None:
    business = new_id()
    async with start_gateway(GATEWAY_LIMIT_BUSINESS="1/3600:3") as gateway:
        for state in ("0", str(time.time_ns() // 1000 + 5_000_000)):
            removed = make_principal(owns=[business])
            await redis.set(f"session:{removed.session_id}", state, ex=60)
            headers = gateway.bearer(removed)
            assert {(await code(gateway, headers))[0] for _ in range(5)} == {401}
        assert (await code(gateway, gateway.bearer(make_principal(owns=[business]))))[0] == 200


@pytest.mark.parametrize(
    "path", ["/auth/verification", "/auth/verification/confirm", "/auth/password/change", "/auth/password/reset"]
)
async def test_codes_have_a_stricter_limit(start_gateway: Any, path: str) -> None:
    async with start_gateway(GATEWAY_LIMIT_CODES="1/3600:2", BLIND_INDEX_KEY=_fresh_key()) as gateway:
        headers = gateway.bearer()

        async def ask() -> Any:
            return await gateway.client.post(f"/api/v1{path}", json={}, headers=headers)

        answers = [await ask() for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert '"codes";q=1;w=3600' in answers[0].headers["ratelimit-policy"]
        assert int(answers[2].headers["retry-after"]) > 1000
        assert (await code(gateway, headers))[0] == 200


async def test_every_limited_answer_says_so(gateway: Any) -> None:
    """Also the ones that are errors, or the gateway's own."""
    asked = {
        "/health": ({}, "public"),
        "/docs": ({}, "public"),
        ME: ({}, "public"),
        "/api/v1/sales": (gateway.bearer(), "api"),
        "/.well-known/jwks.json": ({}, "public"),
    }
    for path, (headers, policy) in asked.items():
        answer = await gateway.client.get(path, headers=headers)
        assert answer.headers["ratelimit-policy"].startswith(f'"{policy}";q='), path
        assert answer.headers["ratelimit"].startswith(f'"{policy}";r='), path


async def test_a_member_that_was_changed_must_refresh(gateway: Any, redis: Redis) -> None:
    caller = make_principal()
    now = int(time.time())
    before, after = gateway.bearer(caller, iat=now - 10), gateway.bearer(caller, iat=now)
    await redis.set(f"session:{caller.session_id}", str((now - 1) * 1_000_000 + 250_000), ex=60)
    assert await code(gateway, before) == (401, "token_stale")
    assert (await code(gateway, after))[0] == 200
    assert gateway.sessions.asked.count(str(caller.session_id)) == 0


@pytest.mark.parametrize("store", ["up", "down"])
async def test_what_auth_says_of_a_session_bounds_its_tokens_too(start_gateway: Any, redis: Redis, store: str) -> None:
    environment = {"REDIS_URL": f"redis://127.0.0.1:{closed_port()}"} if store == "down" else {}
    async with start_gateway(**environment) as gateway:
        caller, now = make_principal(), int(time.time())
        bound = (now - 1) * 1_000_000
        gateway.sessions.valid_from[str(caller.session_id)] = bound
        before, after = gateway.bearer(caller, iat=now - 10), gateway.bearer(caller, iat=now)
        for _ in range(2):
            assert await code(gateway, before) == (401, "token_stale")
            assert (await code(gateway, after))[0] == 200
        assert gateway.sessions.asked.count(str(caller.session_id)) == 1
        if store == "up":
            assert await redis.get(f"session:{caller.session_id}") == str(bound).encode()


async def test_a_state_nobody_understands_is_asked_for_again(gateway: Any, redis: Redis) -> None:
    caller = make_principal()
    await redis.set(f"session:{caller.session_id}", "maybe", ex=60)
    assert (await code(gateway, gateway.bearer(caller)))[0] == 200
    assert gateway.sessions.asked.count(str(caller.session_id)) == 1


async def test_a_checked_token_is_sealed_for_the_service(gateway: Any) -> None:
    seal = AdmissionSeal(COMMON["SERVICE_AUTH_SECRET"])
    headers = gateway.bearer()
    token = headers["authorization"].removeprefix("Bearer ")
    forged = {"x-cobro-admission": "1.forged"}
    await gateway.client.get("/api/v1/sales/sealed", headers={**headers, **forged})
    assert seal.admits(token, gateway.services.last("/api/v1/sales/sealed").header("x-cobro-admission"))
    # A token that comes along where none is needed has not been looked at.
    for path in ("/api/v1/auth/refresh", "/webhooks/unsealed"):
        await gateway.client.post(path, json={}, headers={**headers, **forged})
        assert gateway.services.last(path).header("x-cobro-admission") is None
    await gateway.client.get("/api/v1/receipts/unsealed?key=abc", headers={**headers, **forged})
    assert gateway.services.last("/api/v1/receipts/unsealed").header("x-cobro-admission") is None


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
        assert (ready.status_code, ready.json()["checks"]) == (200, {"accepting": True, "redis": False})


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
