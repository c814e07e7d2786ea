"""Users, as administrators see and change them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from contracts.events.auth import MemberRemoved, UserDeleted, UserUpdated
from kernel import new_id

pytestmark = pytest.mark.integration


async def request(sut: Any, method: str, target: str, account: Any, json: Any = None) -> Any:
    return await sut.client.request(method, f"/api/v1{target}", json=json, headers=account.headers)


async def test_a_user_is_found_by_phone_and_by_email(world: Any) -> None:
    admin = await world.admin()
    email = f"ana{new_id().hex}@example.com"
    account = await world.register(email=email, firstName="Ana")
    for q in (account.phone, account.phone.replace("+52", "+521"), email, email.upper()):
        answer = await world.sut.client.get("/api/v1/users", params={"q": q}, headers=admin.headers)
        assert [user["id"] for user in answer.json()["data"]] == [str(account.id)], q
    for q in ("Ana", account.phone[:-1], "@example.com", "%"):
        answer = await world.sut.client.get("/api/v1/users", params={"q": q}, headers=admin.headers)
        assert answer.json()["data"] == [], q
    one = (await world.get(f"/users/{account.id}", admin.headers)).json()["data"]
    assert (one["phone"], one["email"], one["firstName"], one["role"]) == (account.phone, email, "Ana", "MERCHANT")


async def test_the_list_in_pages_and_filtered(world: Any) -> None:
    admin = await world.admin()
    accounts = [await world.register() for _ in range(3)]
    first = (await world.get("/users?limit=2&role=MERCHANT&kycLevel=LEVEL_0", admin.headers)).json()
    second = (
        await world.get(f"/users?limit=2&role=MERCHANT&cursor={first['meta']['nextCursor']}", admin.headers)
    ).json()
    listed = [user["id"] for user in first["data"] + second["data"]]
    assert listed[:3] == [str(account.id) for account in reversed(accounts)]
    assert (await world.get("/users?kycLevel=LEVEL_2&role=ADMIN", admin.headers)).json()["data"] == []
    admins = (await world.get("/users?role=ADMIN&limit=100", admin.headers)).json()["data"]
    assert str(admin.id) in {user["id"] for user in admins}
    assert {user["role"] for user in admins} == {"ADMIN"}
    for query in ("role=BOSS", "kycLevel=2", "q=", "limit=0"):
        assert (await world.get(f"/users?{query}", admin.headers)).status_code == 400


@pytest.mark.parametrize("role", [Role.MERCHANT, Role.EMPLOYEE, Role.CUSTOMER])
async def test_nobody_else_gets_in(sut: Any, world: Any, role: Role) -> None:
    victim = await world.register()
    headers = world.as_(make_principal(role=role))
    for method, target, json in (
        ("GET", "/users", None),
        ("GET", f"/users/{victim.id}", None),
        ("GET", f"/users/{new_id()}", None),
        ("PATCH", f"/users/{victim.id}", {"firstName": "X"}),
        ("DELETE", f"/users/{victim.id}", None),
        ("PUT", f"/users/{victim.id}/role", {"role": "ADMIN"}),
    ):
        answer = await sut.client.request(method, f"/api/v1{target}", json=json, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "admin_only"), (method, target)


async def test_changing_a_profile(sut: Any, world: Any) -> None:
    admin, account, other = await world.admin(), await world.register(), await world.register(email="b@example.com")
    email = f"ana{new_id().hex}@example.com"
    answer = await request(sut, "PATCH", f"/users/{account.id}", admin, {"email": email, "firstName": "Ana"})
    assert (answer.json()["data"]["email"], answer.json()["data"]["emailVerified"]) == (email, False)
    [event] = await sut.published(UserUpdated, aggregate_id=account.id)
    assert (event.aggregate_version, sorted(event.changed)) == (2, ["email", "first_name"])
    taken = await request(sut, "PATCH", f"/users/{account.id}", admin, {"email": "b@example.com"})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    for body in ({"phone": other.phone}, {"role": "ADMIN"}, {"kycLevel": "LEVEL_2"}):
        assert (await request(sut, "PATCH", f"/users/{account.id}", admin, body)).status_code == 400
    assert (await request(sut, "PATCH", f"/users/{new_id()}", admin, {"firstName": "X"})).status_code == 404


async def test_another_role_takes_effect_at_once(sut: Any, world: Any) -> None:
    admin, account = await world.admin(), await world.register()
    answer = await request(sut, "PUT", f"/users/{account.id}/role", admin, {"role": "CUSTOMER"})
    assert (answer.status_code, answer.json()["data"]["role"]) == (200, "CUSTOMER")
    assert (await world.get("/auth/me", account.headers)).json()["code"] == "token_stale"
    fresh = await world.refresh(account)
    assert (await sut.kit.verifier.verify(fresh.access_token)).role is Role.CUSTOMER
    [event] = await sut.published(UserUpdated, aggregate_id=account.id)
    assert (event.role, event.changed) == ("CUSTOMER", ("role",))
    same = await request(sut, "PUT", f"/users/{account.id}/role", admin, {"role": "CUSTOMER"})
    assert same.status_code == 200
    assert len(await sut.published(UserUpdated, aggregate_id=account.id)) == 1
    assert (await world.get("/auth/me", fresh.headers)).status_code == 200
    assert (await request(sut, "PUT", f"/users/{account.id}/role", admin, {"role": "BOSS"})).status_code == 400
    assert (await request(sut, "PUT", f"/users/{new_id()}/role", admin, {"role": "ADMIN"})).status_code == 404


async def test_a_demoted_administrator_is_none_at_once(sut: Any, world: Any) -> None:
    admin, demoted = await world.admin(), await world.admin()
    assert (await world.get("/users", demoted.headers)).status_code == 200
    await request(sut, "PUT", f"/users/{demoted.id}/role", admin, {"role": "MERCHANT"})
    assert (await world.get("/users", demoted.headers)).json()["code"] == "token_stale"
    assert (await world.get("/users", (await world.refresh(demoted)).headers)).status_code == 403


async def test_deleting_a_user_ends_everything(sut: Any, world: Any) -> None:
    admin, owner, account = await world.admin(), await world.register(), await world.register()
    business = await world.open_business(owner)
    member = await world.employ(business["id"], account, [])
    session = (await sut.kit.verifier.verify(account.access_token)).session_id
    assert (await request(sut, "DELETE", f"/users/{account.id}", admin)).status_code == 204
    assert (await world.get("/auth/me", account.headers)).json()["code"] == "session_revoked"
    assert await sut.kit.cache.redis.get(f"session:{session}") == b"0"
    assert (await world.post("/auth/refresh", {"refreshToken": account.refresh_token})).status_code == 401
    login = await world.post("/auth/login", {"phone": account.phone, "password": account.password})
    assert login.json()["code"] == "invalid_credentials"
    assert (await world.get(f"/users/{account.id}", admin.headers)).status_code == 404
    assert (await request(sut, "DELETE", f"/users/{account.id}", admin)).status_code == 404
    members = (await world.get(f"/businesses/{business['id']}/members", owner.headers)).json()["data"]
    assert [item["role"] for item in members] == ["OWNER"]
    assert len(await sut.published(UserDeleted, aggregate_id=account.id)) == 1
    assert len(await sut.published(MemberRemoved, aggregate_id=UUID(member))) == 1
    again = await world.register(phone=account.phone)
    assert again.id != account.id
    assert await world.employ(business["id"], again, [])


async def test_an_owner_is_not_deleted_with_the_business(sut: Any, world: Any) -> None:
    admin, owner = await world.admin(), await world.register()
    business = await world.open_business(owner)
    answer = await request(sut, "DELETE", f"/users/{owner.id}", admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "user_owns_businesses")
    await request(sut, "DELETE", f"/businesses/{business['id']}", owner)
    assert (await request(sut, "DELETE", f"/users/{owner.id}", admin)).status_code == 204


async def test_no_business_is_opened_by_someone_being_deleted(sut: Any, world: Any) -> None:
    admin = await world.admin()
    for _ in range(4):
        owner = await world.register()
        opened, deleted = await asyncio.gather(
            world.post("/businesses", {"name": "Abarrotes", "country": "MX"}, owner.headers),
            request(sut, "DELETE", f"/users/{owner.id}", admin),
        )
        assert (opened.status_code, deleted.status_code) in {(201, 409), (401, 204)}


async def test_there_is_always_an_administrator(sut: Any, world: Any) -> None:
    first, second = await world.admin(), await world.admin()
    others = await world.sql(
        "UPDATE users SET role = 'CUSTOMER' WHERE role = 'ADMIN' AND id <> ALL(:keep) RETURNING id",
        keep=[first.id, second.id],
    )
    # Each removes the other, at the same time: one of them stays.
    for attempt in (
        lambda admin, other: request(sut, "DELETE", f"/users/{other.id}", admin),
        lambda admin, other: request(sut, "PUT", f"/users/{other.id}/role", admin, {"role": "MERCHANT"}),
    ):
        answers = await asyncio.gather(attempt(first, second), attempt(second, first))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses in ([200, 409], [204, 409], [200, 401], [204, 401])
        [row] = await world.sql("SELECT id FROM users WHERE role = 'ADMIN' AND deleted_at IS NULL")
        first, second = (first, second) if row.id == first.id else (second, first)
        for method, target, json in (
            ("DELETE", f"/users/{first.id}", None),
            ("PUT", f"/users/{first.id}/role", {"role": "MERCHANT"}),
        ):
            answer = await request(sut, method, target, first, json)
            assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
        second = await world.admin()
    await world.sql("UPDATE users SET role = 'ADMIN' WHERE id = ANY(:ids) RETURNING id", ids=[row.id for row in others])
