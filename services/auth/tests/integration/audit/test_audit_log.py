"""The audit log: what is written, who reads it, and that nothing changes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from kernel import new_id
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.integration

ENTRIES = "/audit-entries"


async def entries(world: Any, account: Any, **filters: Any) -> list[dict[str, Any]]:
    answer = await world.sut.client.get(f"/api/v1{ENTRIES}", params=filters, headers=account.headers)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_an_owner_reads_who_changed_what_in_the_business(sut: Any, world: Any, address: str) -> None:
    owner, employee = await world.register(), await world.register()
    headers = {**owner.headers, "User-Agent": "till/1"}
    business = (await world.post("/businesses", {"name": "Lupita", "country": "MX"}, headers)).json()["data"]
    target = f"/api/v1/businesses/{business['id']}"
    await sut.client.patch(target, json={"name": "Lupe", "phone": "+525512345678"}, headers=headers)
    await sut.client.patch(target, json={"name": "Lupe"}, headers=headers)
    branch = await world.open_branch(owner, business["id"])
    await sut.client.put(f"{target}/branches/{branch['id']}", json={"name": "Norte"}, headers=owner.headers)
    member = await world.employ(business["id"], employee, [branch["id"]])
    await sut.client.delete(f"{target}/branches/{branch['id']}", headers=owner.headers)
    await sut.client.delete(f"{target}/members/{member}", headers=owner.headers)
    log = await entries(world, owner, businessId=business["id"], limit=100)
    assert [(entry["action"], entry["subjectId"]) for entry in reversed(log)] == [
        ("business.created", business["id"]),
        ("business.changed", business["id"]),
        ("branch.created", branch["id"]),
        ("branch.changed", branch["id"]),
        ("member.invited", member),
        ("member.added", member),
        ("branch.deleted", branch["id"]),
        ("member.changed", member),
        ("member.removed", member),
    ]
    changed = log[-2]
    assert changed == {
        "id": changed["id"],
        "occurredAt": changed["occurredAt"],
        "action": "business.changed",
        "actorId": str(owner.id),
        "actorRole": "MERCHANT",
        "sessionId": str((await sut.kit.verifier.verify(owner.access_token)).session_id),
        "subjectType": "business",
        "subjectId": business["id"],
        "businessId": business["id"],
        "requestId": changed["requestId"],
        "address": address,
        "device": "till/1",
        "before": {"name": "Lupita", "phone": None},
        "after": {"name": "Lupe", "phone": "+525512345678"},
    }
    assert changed["requestId"]
    [unassigned] = [entry for entry in log if entry["action"] == "member.changed"]
    assert (unassigned["before"], unassigned["after"]) == ({"branchIds": [branch["id"]]}, {"branchIds": []})
    [added] = [entry for entry in log if entry["action"] == "member.added"]
    assert (added["actorId"], added["after"]["userId"]) == (str(employee.id), str(employee.id))


async def test_filters_and_pages(sut: Any, world: Any) -> None:
    admin, owner = await world.admin(), await world.register()
    business = (await world.open_business(owner))["id"]
    branches = [(await world.open_branch(owner, business))["id"] for _ in range(3)]
    by_subject = await entries(world, admin, subjectId=branches[1])
    assert [entry["action"] for entry in by_subject] == ["branch.created"]
    of_action = await entries(world, owner, businessId=business, action="branch.created")
    assert [entry["subjectId"] for entry in of_action] == branches[::-1]
    assert {entry["actorId"] for entry in await entries(world, admin, actorId=str(owner.id))} == {str(owner.id)}
    now = sut.clock.now()
    second = timedelta(seconds=1)
    assert await entries(world, owner, businessId=business, to=(now - second).isoformat()) == []
    within = {"from": (now - second).isoformat(), "to": (now + second).isoformat()}
    assert len(await entries(world, owner, businessId=business, **within)) == 4
    assert await entries(world, owner, businessId=business, **{"from": (now + second).isoformat()}) == []
    first = await world.sut.client.get(
        f"/api/v1{ENTRIES}", params={"businessId": business, "limit": 3}, headers=owner.headers
    )
    rest = await entries(world, owner, businessId=business, cursor=first.json()["meta"]["nextCursor"])
    assert len(first.json()["data"] + rest) == 4
    for query in ("action=nothing", "businessId=x", "from=2026-11-22", "from=2026-11-22T00:00:00"):
        assert (await world.get(f"{ENTRIES}?{query}", admin.headers)).status_code == 400
    backwards = {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    answer = await sut.client.get(f"/api/v1{ENTRIES}", params=backwards, headers=admin.headers)
    assert answer.status_code == 400


async def test_it_is_the_owners_alone(world: Any) -> None:
    owner, employee, stranger = [await world.register() for _ in range(3)]
    business = (await world.open_business(owner))["id"]
    own = (await world.open_business(stranger))["id"]
    await world.employ(business, employee, [])
    asked = f"{ENTRIES}?businessId={business}"
    assert (await world.get(asked, employee.headers)).status_code == 403
    assert (await world.get(asked, stranger.headers)).json()["code"] == "business_not_found"
    assert (await world.get(ENTRIES, owner.headers)).json()["errors"][0]["field"] == "businessId"
    assert (await world.get(asked)).status_code == 401
    subjects = {entry["businessId"] for entry in await entries(world, stranger, businessId=own, limit=100)}
    assert subjects == {own}
    assert await entries(world, stranger, businessId=own, subjectId=business) == []


async def test_what_happens_to_users_is_for_administrators(sut: Any, world: Any) -> None:
    admin = await world.admin()
    email = f"ana{new_id().hex}@example.com"
    account = await world.register(email=email)
    await sut.client.patch("/api/v1/auth/me", json={"firstName": "Ana", "email": None}, headers=account.headers)
    await sut.client.put(f"/api/v1/users/{account.id}/role", json={"role": "CUSTOMER"}, headers=admin.headers)
    await sut.client.delete(f"/api/v1/users/{account.id}", headers=admin.headers)
    log = [entry for entry in await entries(world, admin, subjectId=str(account.id)) if entry["subjectType"] == "user"]
    assert [(entry["action"], entry["actorId"]) for entry in reversed(log)] == [
        ("user.registered", None),
        ("user.profile_changed", str(account.id)),
        ("user.role_changed", str(admin.id)),
        ("user.deleted", str(admin.id)),
    ]
    assert log[-1]["after"] == {"role": "MERCHANT", "phone": account.phone, "email": email}
    assert log[-2]["before"] == {"email": email, "firstName": None}
    assert (log[1]["before"], log[1]["after"]) == ({"role": "MERCHANT"}, {"role": "CUSTOMER"})


async def test_a_change_that_fails_leaves_no_entry(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = (await world.open_business(owner))["id"]
    before = await entries(world, owner, businessId=business)
    await sut.client.patch(f"/api/v1/businesses/{business}", json={"country": "CL"}, headers=owner.headers)
    body = {"phone": world.phone(), "branchIds": [str(new_id())]}
    await world.post(f"/businesses/{business}/members", body, owner.headers)
    assert await entries(world, owner, businessId=business) == before


async def test_no_password_and_no_token_stands_in_it(sut: Any, world: Any) -> None:
    account = await world.register()
    rows = await world.sql("SELECT * FROM audit_entries WHERE subject_id = :id OR actor_id = :id", id=account.id)
    assert rows
    for row in rows:
        plain = sut.context.cipher.decrypt(row.details, context=f"audit_entries.details:{row.id}")
        for secret in (account.password, account.access_token, account.refresh_token):
            assert secret not in plain
            assert secret not in str(row)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'user.deleted' WHERE id = :id",
        "UPDATE audit_entries SET actor_id = NULL, details = 'x' WHERE id = :id",
        "UPDATE audit_entries SET occurred_at = now() WHERE id = :id",
        "DELETE FROM audit_entries WHERE id = :id",
    ],
)
async def test_the_service_itself_cannot_change_it(world: Any, statement: str) -> None:
    owner = await world.register()
    business = (await world.open_business(owner))["id"]
    [entry] = await entries(world, owner, businessId=business)
    with pytest.raises(DBAPIError, match="append-only"):
        await world.sql(statement + " RETURNING id", id=UUID(entry["id"]))
    assert await entries(world, owner, businessId=business) == [entry]


async def test_the_service_itself_cannot_empty_it(world: Any) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await world.sql("TRUNCATE audit_entries")
