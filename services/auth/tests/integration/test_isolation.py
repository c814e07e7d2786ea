"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from auth.members.repository import StoredMemberships
from chassis.tenancy import NOBODY, as_user, only, scope
from chassis.testing.barriers import SwitchedAccess, unsecured
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration

_BY_USER = {
    "users": "id",
    "sessions": "user_id",
    "one_time_codes": "user_id",
    "kyc_submissions": "user_id",
    "memberships": "user_id",
}
_BY_BUSINESS = {
    "businesses": "id",
    "branches": "business_id",
    "memberships": "business_id",
    "audit_entries": "business_id",
}


async def seen(sut: Any, within: AbstractContextManager[None], table: str, column: str) -> set[Any]:
    """Whose rows of a table a query without a filter finds."""
    with within:
        async with sut.kit.database.read() as session:
            return {row[0] for row in await session.execute(text(f"SELECT {column} FROM {table}"))}


async def write(sut: Any, within: AbstractContextManager[None], statement: str, **parameters: Any) -> int:
    with within:
        async with sut.kit.database.transaction() as unit:
            return int((await unit.session.execute(text(statement), parameters)).rowcount)


async def reach(world: Any, business: dict[str, Any], branch: dict[str, Any], member: str) -> dict[str, int]:
    """What a stranger gets of somebody else's business, by every route."""
    stranger, base = await world.register(), f"/api/v1/businesses/{business['id']}"
    await world.open_business(stranger)
    statuses = {}
    listed = (await world.get("/businesses?limit=100", stranger.headers)).json()["data"]
    statuses["list"] = 200 if business["id"] in {item["id"] for item in listed} else 404
    log = await world.get(f"/audit-entries?businessId={business['id']}", stranger.headers)
    statuses["audit"] = log.status_code if log.status_code != 200 or log.json()["data"] else 404
    for method, target, json in (
        ("GET", base, None),
        ("PUT", base, {"name": "Mía", "country": "MX"}),
        ("PATCH", base, {"name": "Mía"}),
        ("GET", f"{base}/branches", None),
        ("POST", f"{base}/branches", {"name": "Mía"}),
        ("GET", f"{base}/branches/{branch['id']}", None),
        ("PUT", f"{base}/branches/{branch['id']}", {"name": "Mía"}),
        ("PATCH", f"{base}/branches/{branch['id']}", {"name": "Mía"}),
        ("DELETE", f"{base}/branches/{branch['id']}", None),
        ("GET", f"{base}/members", None),
        ("POST", f"{base}/members", {"phone": world.phone()}),
        ("GET", f"{base}/members/{member}", None),
        ("PATCH", f"{base}/members/{member}", {"branchIds": []}),
        ("DELETE", f"{base}/members/{member}", None),
        ("DELETE", base, None),
    ):
        answer = await world.sut.client.request(method, target, json=json, headers=stranger.headers)
        statuses[f"{method} {target.removeprefix(base)}"] = answer.status_code
    return statuses


async def furnished(world: Any) -> tuple[Any, dict[str, Any], dict[str, Any], str]:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    return owner, business, branch, await world.employ(business["id"], employee, [branch["id"]])


async def test_every_table_is_secured(sut: Any) -> None:
    assert await unsecured(sut.owner_url, exempt={}) == []


async def test_the_filter_alone(sut: Any, world: Any) -> None:
    _, business, branch, member = await furnished(world)
    async with sut.row_security_off():
        statuses = await reach(world, business, branch, member)
    assert set(statuses.values()) == {404}, statuses


async def test_row_level_security_alone(sut: Any, world: Any, altered: Any) -> None:
    owner, business, branch, member = await furnished(world)
    access = SwitchedAccess(StoredMemberships(sut.kit.database))
    with access.off(), altered(access=access):
        statuses = await reach(world, business, branch, member)
    assert set(statuses.values()) == {404}, statuses
    assert (await world.get(f"/businesses/{business['id']}", owner.headers)).json()["data"] == business


async def test_with_both_down_nothing_holds(sut: Any, world: Any, altered: Any) -> None:
    _, business, branch, member = await furnished(world)
    access = SwitchedAccess(StoredMemberships(sut.kit.database))
    async with sut.row_security_off():
        with access.off(), altered(access=access):
            statuses = await reach(world, business, branch, member)
    assert [statuses[name] for name in ("GET ", "PATCH ", "DELETE ", "list", "audit")] == [200, 200, 204, 200, 200]


async def test_a_query_without_a_filter_finds_what_is_ones_own(sut: Any, world: Any) -> None:
    owner, business, _, _ = await furnished(world)
    await world.post("/auth/verification", {"channel": "sms"}, owner.headers)
    for table, column in _BY_USER.items():
        assert await seen(sut, as_user(owner.id), table, column) <= {owner.id}, table
        assert await seen(sut, scope(NOBODY), table, column) == set(), table
    for table in ("users", "sessions", "one_time_codes", "memberships"):
        assert await seen(sut, as_user(owner.id), table, _BY_USER[table]) == {owner.id}, table
    for table, column in _BY_BUSINESS.items():
        assert await seen(sut, only(UUID(business["id"])), table, column) == {UUID(business["id"])}, table
        assert await seen(sut, scope(NOBODY), table, column) == set(), table
    assert await seen(sut, only(UUID(business["id"])), "users", "id") == set()
    tokens = "(SELECT user_id FROM sessions WHERE sessions.id = refresh_tokens.session_id)"
    assert await seen(sut, as_user(owner.id), "refresh_tokens", tokens) == {owner.id}


async def test_what_is_not_ones_own_is_not_written_either(sut: Any, world: Any) -> None:
    owner, business, _, member = await furnished(world)
    stranger = await world.register()
    foreign = UUID((await world.open_business(stranger))["id"])
    for table in ("businesses", "branches", "memberships"):
        column = _BY_BUSINESS[table]
        taken = f"UPDATE {table} SET version = version WHERE {column} = :id"
        assert await write(sut, only(foreign), taken, id=UUID(business["id"])) == 0
    own = "UPDATE memberships SET role = 'OWNER' WHERE id = :id"
    assert await write(sut, as_user(stranger.id), own, id=UUID(member)) == 0, "seeing is not changing"
    assert await write(sut, as_user(stranger.id), "UPDATE users SET role = role WHERE id = :id", id=owner.id) == 0
    moved = "UPDATE branches SET business_id = :mine WHERE business_id = :id"
    with pytest.raises(DBAPIError, match="row-level security"):
        await write(sut, only(UUID(business["id"])), moved, mine=foreign, id=UUID(business["id"]))
    forged = (
        "INSERT INTO audit_entries (id, occurred_at, action, actor_id, subject_type, details)"
        " VALUES (gen_random_uuid(), now(), 'user.deleted', :actor, 'user', '')"
    )
    with pytest.raises(DBAPIError, match="row-level security"):
        await write(sut, as_user(stranger.id), forged, actor=owner.id)
