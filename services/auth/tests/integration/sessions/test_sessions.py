"""GET /auth/sessions and DELETE /auth/sessions/{id}."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from kernel import new_id

pytestmark = pytest.mark.integration

PATH = "/auth/sessions"


async def sessions(world: Any, account: Any, query: str = "") -> Any:
    answer = await world.get(f"{PATH}{query}", account.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def remove(sut: Any, account: Any, session_id: str) -> Any:
    return await sut.client.delete(f"/api/v1{PATH}/{session_id}", headers=account.headers)


async def test_where_a_user_is_logged_in(sut: Any, world: Any, address: str, later: Any) -> None:
    account = await world.register()
    body = {"phone": account.phone, "password": account.password}
    with later(timedelta(minutes=1)):
        await world.post("/auth/login", body, {"User-Agent": "Caja 2", "X-Forwarded-For": "203.0.113.9"})
        listed = await sessions(world, account)
    newest, first = listed["data"]
    assert listed["meta"]["total"] == 2
    assert (newest["device"], newest["address"], newest["current"]) == ("Caja 2", "203.0.113.9", False)
    assert (first["address"], first["current"]) == (str(ip_address(address)), True)
    assert newest["lastUsedAt"] == newest["createdAt"] > first["createdAt"]
    assert set(newest) == {"id", "device", "address", "createdAt", "lastUsedAt", "expiresAt", "current"}


async def test_refreshing_is_using(world: Any, later: Any) -> None:
    account = await world.register()
    [before] = (await sessions(world, account))["data"]
    with later(timedelta(minutes=5)):
        await world.post("/auth/refresh", {"refreshToken": account.refresh_token})
        [after] = (await sessions(world, account))["data"]
    assert after["id"] == before["id"]
    assert after["lastUsedAt"] > before["lastUsedAt"]
    assert after["expiresAt"] > before["expiresAt"]


async def test_pages(world: Any) -> None:
    account = await world.register()
    for _ in range(4):
        await world.login(account)
    first = await sessions(world, account, "?limit=3")
    rest = await sessions(world, account, f"?limit=3&cursor={first['meta']['nextCursor']}")
    ids = [item["id"] for item in first["data"] + rest["data"]]
    assert len(ids) == len(set(ids)) == 5
    assert rest["meta"]["nextCursor"] is None


async def test_a_removed_session_is_gone_at_once(sut: Any, world: Any) -> None:
    account = await world.register()
    other = await world.login(account)
    [newest, _] = (await sessions(world, account))["data"]
    assert (await remove(sut, account, newest["id"])).status_code == 204
    assert await sut.kit.cache.redis.get(f"session:{newest['id']}") == b"0"
    assert (await world.post("/auth/refresh", {"refreshToken": other["refreshToken"]})).status_code == 401
    headers = {"Authorization": f"Bearer {other['accessToken']}"}
    assert (await world.get("/auth/me", headers)).status_code == 401
    assert [item["current"] for item in (await sessions(world, account))["data"]] == [True]
    again = await remove(sut, account, newest["id"])
    assert (again.status_code, again.json()["code"]) == (404, "session_not_found")
    [row] = await world.sql("SELECT end_reason FROM sessions WHERE id = :id", id=newest["id"])
    assert row.end_reason == "removed"
    [entry] = await world.sql(
        "SELECT action, actor_id FROM audit_entries WHERE subject_id = :id AND subject_type = 'session'",
        id=newest["id"],
    )
    assert (entry.action, entry.actor_id) == ("session.ended", account.id)


async def test_removing_the_current_one_is_logging_out(sut: Any, world: Any) -> None:
    account = await world.register()
    [current] = (await sessions(world, account))["data"]
    assert (await remove(sut, account, current["id"])).status_code == 204
    assert (await world.get(PATH, account.headers)).status_code == 401


async def test_anothers_session_does_not_exist(sut: Any, world: Any) -> None:
    account, stranger = await world.register(), await world.register()
    [theirs] = (await sessions(world, stranger))["data"]
    for session_id in (theirs["id"], str(new_id())):
        answer = await remove(sut, account, session_id)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert (await remove(sut, account, "x")).status_code == 400
    assert (await sessions(world, stranger))["data"] == [theirs]
    assert theirs["id"] not in str(await sessions(world, account))


async def test_what_can_no_longer_be_used_is_not_listed(world: Any) -> None:
    account = await world.register()
    await world.post("/auth/logout", headers={"Authorization": f"Bearer {(await world.login(account))['accessToken']}"})
    assert len((await sessions(world, account))["data"]) == 1
    await world.login(account)
    [unused, _] = (await sessions(world, account))["data"]
    await world.sql(
        "UPDATE sessions SET used_at = used_at - interval '7 days 1 second' WHERE id = :id RETURNING id",
        id=unused["id"],
    )
    assert [item["current"] for item in (await sessions(world, account))["data"]] == [True]


async def test_the_address_is_not_stored_in_clear(world: Any, address: str) -> None:
    account = await world.register()
    rows = await world.sql("SELECT (s.*)::text AS row FROM sessions s WHERE user_id = :id", id=account.id)
    assert address not in str(rows)


async def test_a_token_is_needed(sut: Any, world: Any) -> None:
    assert (await world.get(PATH)).status_code == 401
    assert (await sut.client.delete(f"/api/v1{PATH}/{new_id()}")).status_code == 401
