"""POST /auth/refresh: rotation, and what happens to a token that is used again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from chassis.tenancy import everyone
from kernel import new_id

pytestmark = pytest.mark.integration

REFRESH = "/auth/refresh"


async def refresh(world: Any, token: str, status: int = 200) -> dict[str, Any]:
    answer = await world.post(REFRESH, {"refreshToken": token})
    assert answer.status_code == status, answer.text
    if status == 200:
        return answer.json()["data"]
    assert answer.json()["code"] == "refresh_token_invalid"
    return {}


async def test_a_refresh_gives_a_new_pair_of_the_same_session(sut: Any, world: Any) -> None:
    account = await world.register()
    pair = await refresh(world, account.refresh_token)
    assert pair["refreshToken"] != account.refresh_token
    before = await sut.kit.verifier.verify(account.access_token)
    assert (await sut.kit.verifier.verify(pair["accessToken"])).session_id == before.session_id
    assert pair["user"]["id"] == str(account.id)
    assert await refresh(world, pair["refreshToken"])


async def test_a_refresh_brings_the_memberships_up_to_date(sut: Any, world: Any) -> None:
    account = await world.register()
    business = await world.open_business(account)
    pair = await refresh(world, account.refresh_token)
    principal = await sut.kit.verifier.verify(pair["accessToken"])
    assert [str(id) for id in principal.memberships] == [business["id"]]


async def test_fifty_refreshes_at_once_have_one_successor(world: Any) -> None:
    account = await world.register()
    pairs = await asyncio.gather(*(refresh(world, account.refresh_token) for _ in range(50)))
    [successor] = {pair["refreshToken"] for pair in pairs}
    assert await refresh(world, successor)
    [row] = await world.sql(
        "SELECT count(*) AS tokens FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE user_id = :id",
        id=account.id,
    )
    assert row.tokens == 3


async def test_a_lost_answer_may_be_asked_for_again_within_ten_seconds(world: Any, later: Any) -> None:
    account = await world.register()
    pair = await refresh(world, account.refresh_token)
    with later(timedelta(seconds=10)):
        assert (await refresh(world, account.refresh_token))["refreshToken"] == pair["refreshToken"]


async def test_an_old_token_ends_the_whole_session(sut: Any, world: Any, later: Any) -> None:
    account = await world.register()
    session = (await sut.kit.verifier.verify(account.access_token)).session_id
    pair = await refresh(world, account.refresh_token)
    other = await world.login(account)
    with later(timedelta(seconds=11)):
        await refresh(world, account.refresh_token, 401)
        await refresh(world, pair["refreshToken"], 401)
        assert await refresh(world, other["refreshToken"]), "another device's session lives on"
    assert await sut.kit.cache.redis.get(f"session:{session}") == b"0"
    assert (await world.get("/auth/me", account.headers)).json()["code"] == "session_revoked"
    [row] = await world.sql("SELECT end_reason FROM sessions WHERE id = :id", id=session)
    assert row.end_reason == "token_reused"
    [entry] = await world.sql(
        "SELECT actor_id FROM audit_entries WHERE subject_id = :id AND action = 'session.refresh_token_reused'",
        id=session,
    )
    assert entry.actor_id is None


async def test_a_token_lasts_seven_days(world: Any, later: Any) -> None:
    account = await world.register()
    with later(timedelta(days=7, seconds=1)):
        await refresh(world, account.refresh_token, 401)
    with later(timedelta(days=6, hours=23)):
        assert await refresh(world, account.refresh_token)


async def test_a_session_lasts_ninety_days_however_often_it_is_refreshed(world: Any, later: Any) -> None:
    token = (await world.register()).refresh_token
    for day in range(6, 90, 6):
        with later(timedelta(days=day)):
            token = (await refresh(world, token))["refreshToken"]
    with later(timedelta(days=90)):
        await refresh(world, token, 401)


@pytest.mark.parametrize("token", ["x", "🌮" * 100, "\x00", "' OR 1=1 --", "A" * 512])
async def test_what_is_no_token_is_a_401(world: Any, token: str) -> None:
    await refresh(world, token, 401)


@pytest.mark.parametrize("body", [{}, {"refreshToken": ""}, {"refreshToken": "A" * 513}, {"refreshToken": 1}, []])
async def test_bad_input_is_a_400(world: Any, body: Any) -> None:
    assert (await world.post(REFRESH, body)).status_code == 400


async def test_an_access_token_is_no_refresh_token(world: Any) -> None:
    account = await world.register()
    answer = await world.post(REFRESH, {"refreshToken": account.access_token})
    assert answer.status_code in {400, 401}


async def test_a_token_is_not_kept(world: Any) -> None:
    account = await world.register()
    [row] = await world.sql(
        "SELECT t.*::text AS stored FROM (SELECT rt.* FROM refresh_tokens rt JOIN sessions s ON s.id = rt.session_id"
        " WHERE s.user_id = :id) t",
        id=account.id,
    )
    assert account.refresh_token not in row.stored


async def test_old_tokens_and_sessions_are_swept(sut: Any, world: Any, later: Any) -> None:
    account = await world.register()
    job = next(job for job in sut.service.jobs if job.name == "sessions-forget")
    with later(timedelta(days=8, seconds=1)):
        await world.login(account)
        with everyone():
            await job.run()
    rows = await world.sql(
        "SELECT s.id, count(t.id) AS tokens FROM sessions s LEFT JOIN refresh_tokens t ON t.session_id = s.id"
        " WHERE user_id = :id GROUP BY s.id ORDER BY s.created_at",
        id=account.id,
    )
    assert [row.tokens for row in rows] == [0, 1]
    with later(timedelta(days=140)), everyone():
        await job.run()
    assert await world.sql("SELECT id FROM sessions WHERE user_id = :id", id=account.id) == []
    assert (await world.post(REFRESH, {"refreshToken": str(new_id())})).status_code == 401
