"""Access tokens that no longer say what is true."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from auth.sessions import service
from auth.sessions.states import SessionStates
from chassis.cache import connect_redis
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc

pytestmark = pytest.mark.integration


async def code_of(world: Any, account: Any) -> str:
    answer = await world.get("/auth/me", account.headers)
    return str(answer.json().get("code", answer.status_code))


async def session_of(sut: Any, account: Any) -> Any:
    return (await sut.kit.verifier.verify(account.access_token)).session_id


async def bound_of(sut: Any, session_id: Any) -> int:
    stub = directory_pb2_grpc.SessionsStub(await sut.channel())
    answer = await stub.CheckSession(directory_pb2.CheckSessionRequest(session_id=str(session_id)), timeout=5)
    assert answer.active
    return int(answer.valid_from_us)


async def employed(world: Any) -> tuple[Any, Any, str, str, str]:
    """(owner, employee with a token that names the business, business, branch, member)"""
    owner, employee = await world.register(), await world.register()
    business = (await world.open_business(owner))["id"]
    branch = (await world.open_branch(owner, business))["id"]
    member = await world.employ(business, employee, [branch])
    return owner, await world.refresh(employee), business, branch, member


async def test_a_removed_employee_is_out_at_once(sut: Any, world: Any) -> None:
    owner, employee, business, _, member = await employed(world)
    session = await session_of(sut, employee)
    assert (await world.get(f"/businesses/{business}", employee.headers)).status_code == 200
    assert await bound_of(sut, session) == 0
    await sut.client.delete(f"/api/v1/businesses/{business}/members/{member}", headers=owner.headers)
    assert await code_of(world, employee) == "token_stale"
    bound = await bound_of(sut, session)
    assert bound > 0
    assert await sut.kit.cache.redis.get(f"session:{session}") == str(bound).encode()
    assert 900 < await sut.kit.cache.redis.ttl(f"session:{session}") <= 960
    # In the very same instant: the clock of these tests stands still.
    fresh = await world.refresh(employee)
    assert await code_of(world, fresh) == "200"
    assert (await world.get(f"/businesses/{business}", fresh.headers)).status_code == 404
    assert await code_of(world, employee) == "token_stale"
    assert await code_of(world, owner) == "200"


async def test_every_token_before_a_change_is_stale_and_every_one_after_is_not(sut: Any, world: Any) -> None:
    owner, employee, business, branch, member = await employed(world)
    old = [employee]
    for branches in ([], [branch], [], [branch]):
        body = {"branchIds": branches}
        target = f"/api/v1/businesses/{business}/members/{member}"
        assert (await sut.client.patch(target, json=body, headers=owner.headers)).status_code == 200
        employee = await world.refresh(employee)
        assert {await code_of(world, account) for account in old} == {"token_stale"}
        assert await code_of(world, employee) == "200"
        principal = await sut.kit.verifier.verify(employee.access_token)
        [membership] = principal.memberships.values()
        assert [str(id) for id in membership.branch_ids] == branches
        old.append(employee)


async def test_refreshing_while_rights_change_never_keeps_what_was_taken(sut: Any, world: Any) -> None:
    owner, employee, business, branch, member = await employed(world)
    target = f"/api/v1/businesses/{business}/members/{member}"
    for _ in range(4):
        await sut.client.patch(target, json={"branchIds": [branch]}, headers=owner.headers)
        employee = await world.refresh(employee)
        login = world.login(employee)
        change = sut.client.patch(target, json={"branchIds": []}, headers=owner.headers)
        renewed, tokens, changed = await asyncio.gather(world.refresh(employee), login, change)
        assert changed.status_code == 200
        for token in (renewed.access_token, tokens["accessToken"]):
            principal = await sut.kit.verifier.verify(token)
            [membership] = principal.memberships.values()
            headers = {"Authorization": f"Bearer {token}"}
            accepted = (await world.get("/auth/me", headers)).status_code == 200
            assert not (accepted and membership.branch_ids), "a token that works says what is no longer true"
        employee = await world.refresh(renewed)
        assert await code_of(world, employee) == "200"


async def test_a_closed_branch_and_a_closed_business(sut: Any, world: Any) -> None:
    owner, employee, business, branch, _ = await employed(world)
    bystander = await world.register()
    await world.employ(business, bystander, [])
    bystander = await world.refresh(bystander)
    await sut.client.delete(f"/api/v1/businesses/{business}/branches/{branch}", headers=owner.headers)
    assert [await code_of(world, who) for who in (employee, bystander, owner)] == ["token_stale", "200", "200"]
    employee = await world.refresh(employee)
    await sut.client.delete(f"/api/v1/businesses/{business}", headers=owner.headers)
    codes = [await code_of(world, who) for who in (employee, bystander, owner)]
    assert codes == ["token_stale", "token_stale", "token_stale"]
    assert (await sut.kit.verifier.verify((await world.refresh(owner)).access_token)).memberships == {}


async def test_what_changes_no_right_leaves_tokens_alone(sut: Any, world: Any) -> None:
    owner, employee, business, branch, member = await employed(world)
    target = f"/api/v1/businesses/{business}/members/{member}"
    for body in ({"branchIds": [branch]}, {"firstName": "Anita"}):
        assert (await sut.client.patch(target, json=body, headers=owner.headers)).status_code == 200
    assert await code_of(world, employee) == "200"


async def test_a_new_session_is_not_bound_by_what_was_before(world: Any, sut: Any) -> None:
    owner, employee, business, _, member = await employed(world)
    await sut.client.delete(f"/api/v1/businesses/{business}/members/{member}", headers=owner.headers)
    tokens = await world.login(employee)
    assert (await world.get("/auth/me", {"Authorization": f"Bearer {tokens['accessToken']}"})).status_code == 200


async def test_a_bound_that_redis_missed_is_told_later(sut: Any, world: Any, altered: Any) -> None:
    owner, employee, business, _, member = await employed(world)
    session = await session_of(sut, employee)
    unreachable = connect_redis("redis://127.0.0.1:1/0")
    with altered(session_states=SessionStates(unreachable)):
        answer = await sut.client.delete(f"/api/v1/businesses/{business}/members/{member}", headers=owner.headers)
        assert answer.status_code == 204
    await unreachable.aclose()
    redis = sut.kit.cache.redis
    assert await redis.get(f"session:{session}") == b"1"
    # At the service's own port it is the database that decides.
    assert await code_of(world, employee) == "token_stale"
    await service.announce_waiting(sut.context)
    assert await redis.get(f"session:{session}") == str(await bound_of(sut, session)).encode()
    await redis.delete(f"session:{session}")
    await service.announce_waiting(sut.context)
    assert await redis.get(f"session:{session}") is None, "what was told is not told again"


async def test_an_end_after_a_bound_is_told_too(sut: Any, world: Any) -> None:
    owner, employee, business, _, member = await employed(world)
    session = await session_of(sut, employee)
    await sut.client.delete(f"/api/v1/businesses/{business}/members/{member}", headers=owner.headers)
    fresh = await world.refresh(employee)
    await world.post("/auth/logout", headers=fresh.headers)
    assert await sut.kit.cache.redis.get(f"session:{session}") == b"0"
    assert await code_of(world, fresh) == "session_revoked"


async def test_the_state_in_redis_only_ever_moves_forward(sut: Any, world: Any) -> None:
    states, redis = sut.context.session_states, sut.kit.cache.redis
    session, now = await session_of(sut, await world.register()), sut.clock.now()
    key = f"session:{session}"
    assert await redis.get(key) == b"1"
    assert await states.outdate({session: now})
    bound = await redis.get(key)
    await states.activate(session)
    assert await states.outdate({session: now - timedelta(seconds=1)})
    assert await redis.get(key) == bound
    assert await states.outdate({session: now + timedelta(microseconds=1)})
    assert int(await redis.get(key)) == int(bound) + 1
    assert await states.end([session])
    assert await states.outdate({session: now + timedelta(seconds=9)})
    await states.activate(session)
    assert await redis.get(key) == b"0"
