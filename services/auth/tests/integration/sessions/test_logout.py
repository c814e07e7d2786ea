"""Ending sessions, and telling the gateway."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from auth.sessions.states import SessionStates
from chassis.cache import connect_redis
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc

pytestmark = pytest.mark.integration


async def session_of(sut: Any, token: str) -> str:
    return str((await sut.kit.verifier.verify(token)).session_id)


async def state(sut: Any, session_id: str) -> Any:
    return await sut.kit.cache.redis.get(f"session:{session_id}")


async def active(sut: Any, session_id: str) -> bool:
    stub = directory_pb2_grpc.SessionsStub(await sut.channel())
    answer = await stub.CheckSession(directory_pb2.CheckSessionRequest(session_id=session_id), timeout=5)
    return bool(answer.active)


async def test_a_new_session_is_known_to_the_gateway(sut: Any, world: Any) -> None:
    account = await world.register()
    session = await session_of(sut, account.access_token)
    assert await state(sut, session) == b"1"
    assert 0 < await sut.kit.cache.redis.ttl(f"session:{session}") <= 900
    assert await active(sut, session)


async def test_logging_out_ends_this_session_at_once_and_no_other(sut: Any, world: Any) -> None:
    account = await world.register()
    other = await world.login(account)
    session = await session_of(sut, account.access_token)
    answer = await world.post("/auth/logout", headers=account.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await state(sut, session) == b"0"
    assert 900 < await sut.kit.cache.redis.ttl(f"session:{session}") <= 960
    assert not await active(sut, session)
    assert (await world.post("/auth/refresh", {"refreshToken": account.refresh_token})).status_code == 401
    assert (await world.get("/auth/me", account.headers)).json()["code"] == "session_revoked"
    assert (await world.post("/auth/refresh", {"refreshToken": other["refreshToken"]})).status_code == 200


async def test_logging_out_twice_is_logging_out(world: Any) -> None:
    account = await world.register()
    answers = await asyncio.gather(*(world.post("/auth/logout", headers=account.headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {204, 401}
    assert 204 in {answer.status_code for answer in answers}


async def test_logging_out_everywhere(sut: Any, world: Any) -> None:
    account, stranger = await world.register(), await world.register()
    pairs = [await world.login(account) for _ in range(2)]
    tokens = [account.access_token, *(pair["accessToken"] for pair in pairs)]
    assert (await world.post("/auth/logout-all", headers=account.headers)).status_code == 204
    for token in tokens:
        session = await session_of(sut, token)
        assert await state(sut, session) == b"0"
        assert not await active(sut, session)
    assert await active(sut, await session_of(sut, stranger.access_token))


async def test_a_token_is_needed(world: Any) -> None:
    for path in ("/auth/logout", "/auth/logout-all"):
        assert (await world.post(path)).status_code == 401


async def test_a_refresh_that_races_a_logout_does_not_outlive_it(sut: Any, world: Any) -> None:
    for _ in range(10):
        account = await world.register()
        answer, _out = await asyncio.gather(
            world.post("/auth/refresh", {"refreshToken": account.refresh_token}),
            world.post("/auth/logout", headers=account.headers),
        )
        assert answer.status_code in {200, 401}
        assert not await active(sut, await session_of(sut, account.access_token))
        if answer.status_code == 200:
            successor = answer.json()["data"]["refreshToken"]
            assert (await world.post("/auth/refresh", {"refreshToken": successor})).status_code == 401


async def test_without_redis_people_log_in_and_out_and_the_gateway_hears_of_it_later(
    sut: Any, world: Any, altered: Any
) -> None:
    account = await world.register()
    session = await session_of(sut, account.access_token)
    down = SessionStates(connect_redis("redis://127.0.0.1:1/0"))
    with altered(session_states=down):
        quiet = await world.login(account)
        assert (await world.post("/auth/logout", headers=account.headers)).status_code == 204
    assert await active(sut, await session_of(sut, quiet["accessToken"]))
    assert not await active(sut, session)
    assert await state(sut, session) == b"1", "what the gateway still believes"
    await next(job for job in sut.service.jobs if job.name == "sessions-announce").run()
    assert await state(sut, session) == b"0"
    [row] = await world.sql("SELECT announced_at FROM sessions WHERE id = :id", id=session)
    assert row.announced_at is not None


async def test_an_end_is_never_overwritten_by_a_beginning(sut: Any, world: Any) -> None:
    account = await world.register()
    principal = await sut.kit.verifier.verify(account.access_token)
    await world.post("/auth/logout", headers=account.headers)
    await sut.context.session_states.activate(principal.session_id)
    assert await state(sut, str(principal.session_id)) == b"0"
