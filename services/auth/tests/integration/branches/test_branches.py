"""Branches over REST."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from contracts.events.auth import BranchCreated, BranchDeleted, BranchUpdated
from kernel import new_id

pytestmark = pytest.mark.integration

WHOLE = {
    "name": "Centro",
    "address": "Av. Juárez 10",
    "city": "Ciudad de México",
    "state": "CDMX",
    "postalCode": "06000",
    "phone": "+525512345678",
    "isActive": True,
}


def path(business: dict[str, Any], branch: dict[str, Any] | None = None) -> str:
    base = f"/api/v1/businesses/{business['id']}/branches"
    return base if branch is None else f"{base}/{branch['id']}"


async def test_an_owner_opens_a_branch(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    answer = await sut.client.post(path(business), json=WHOLE, headers=owner.headers)
    assert answer.status_code == 201
    branch = answer.json()["data"]
    assert branch == {
        **WHOLE,
        "id": branch["id"],
        "businessId": business["id"],
        "createdAt": branch["createdAt"],
        "updatedAt": branch["createdAt"],
    }
    assert (await sut.client.get(path(business, branch), headers=owner.headers)).json()["data"] == branch
    assert await sut.published(aggregate_id=UUID(branch["id"])) == [
        BranchCreated(
            aggregate_id=UUID(branch["id"]),
            aggregate_version=1,
            business_id=UUID(business["id"]),
            name="Centro",
            is_active=True,
        )
    ]


async def test_changes_are_told_and_counted(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    branch = (await sut.client.post(path(business), json=WHOLE, headers=owner.headers)).json()["data"]
    target = path(business, branch)
    changed = await sut.client.patch(target, json={"isActive": False}, headers=owner.headers)
    assert changed.json()["data"]["isActive"] is False
    assert changed.json()["data"]["phone"] == WHOLE["phone"]
    replaced = await sut.client.put(target, json={"name": "Norte"}, headers=owner.headers)
    assert (replaced.json()["data"]["phone"], replaced.json()["data"]["isActive"]) == (None, True)
    nothing = await sut.client.patch(target, json={"name": "Norte"}, headers=owner.headers)
    assert nothing.json() == replaced.json()
    assert (await sut.client.delete(target, headers=owner.headers)).status_code == 204
    assert (await sut.client.get(target, headers=owner.headers)).status_code == 404
    assert (await sut.client.delete(target, headers=owner.headers)).status_code == 404
    events = await sut.published(aggregate_id=UUID(branch["id"]))
    assert [(type(event), event.aggregate_version) for event in events] == [
        (BranchCreated, 1),
        (BranchUpdated, 2),
        (BranchUpdated, 3),
        (BranchDeleted, 4),
    ]


async def test_another_tenants_branch_does_not_exist(sut: Any, world: Any) -> None:
    owner, stranger = await world.register(), await world.register()
    business, foreign = await world.open_business(owner), await world.open_business(stranger)
    branch = await world.open_branch(owner, business["id"])
    requests = (("GET", None), ("PUT", WHOLE), ("PATCH", {"name": "Mía"}), ("DELETE", None))
    for method, json in requests:
        # In the owner's business, and as if it belonged to a business of the stranger's own.
        for target, code in ((business, "business_not_found"), (foreign, "branch_not_found")):
            answer = await sut.client.request(method, path(target, branch), json=json, headers=stranger.headers)
            assert (answer.status_code, answer.json()["code"]) == (404, code)
    for method, json in (("GET", None), ("POST", WHOLE)):
        answer = await sut.client.request(method, path(business), json=json, headers=stranger.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "business_not_found")
    assert (await sut.client.get(path(business, branch), headers=owner.headers)).status_code == 200


async def test_an_employee_sees_the_branches_they_are_assigned_to(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    mine, other = [await world.open_branch(owner, business["id"], name=name) for name in ("Centro", "Norte")]
    await world.employ(business["id"], employee, [mine["id"]])
    listed = (await sut.client.get(path(business), headers=employee.headers)).json()
    assert [branch["id"] for branch in listed["data"]] == [mine["id"]]
    assert listed["meta"]["total"] == 1
    assert (await sut.client.get(path(business, mine), headers=employee.headers)).status_code == 200
    forbidden = await sut.client.get(path(business, other), headers=employee.headers)
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "branch_forbidden")
    for method, target, json in (
        ("POST", path(business), WHOLE),
        ("PUT", path(business, mine), WHOLE),
        ("PATCH", path(business, mine), {"name": "Mía"}),
        ("DELETE", path(business, mine), None),
    ):
        assert (await sut.client.request(method, target, json=json, headers=employee.headers)).status_code == 403


async def test_the_list_comes_in_pages(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    opened = [(await world.open_branch(owner, business["id"], name=f"S{n}"))["id"] for n in range(3)]
    first = (await sut.client.get(f"{path(business)}?limit=2", headers=owner.headers)).json()
    cursor = first["meta"]["nextCursor"]
    second = (await sut.client.get(f"{path(business)}?limit=2&cursor={cursor}", headers=owner.headers)).json()
    assert [item["id"] for item in first["data"] + second["data"]] == opened[::-1]
    for query in ("limit=0", "limit=101", "page=0", "page=x", "cursor=nonsense", "cursor=%00"):
        answer = await sut.client.get(f"{path(business)}?{query}", headers=owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_a_repeated_request_opens_one(sut: Any, world: Any) -> None:
    owner = await world.register()
    business, other = await world.open_business(owner), await world.open_business(owner)
    headers = {**owner.headers, "Idempotency-Key": str(new_id())}
    answers = await asyncio.gather(*(sut.client.post(path(business), json=WHOLE, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await sut.client.post(path(business), json=WHOLE, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    for target, json in ((business, {**WHOLE, "name": "Norte"}), (other, WHOLE)):
        answer = await sut.client.post(path(target), json=json, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    listed = (await sut.client.get(path(business), headers=owner.headers)).json()
    assert listed["meta"]["total"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"phone": "123"}, "phone"),
        ({"isActive": None}, "isActive"),
        ({"businessId": str(new_id())}, "businessId"),
        ({"city": ["CDMX"]}, "city"),
        ({"postalCode": "'"}, "postalCode"),
    ],
)
async def test_bad_input_is_named(sut: Any, world: Any, change: dict[str, Any], field: str) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    for method, target, body in (
        ("POST", path(business), {**WHOLE, **change}),
        ("PUT", path(business, branch), {**WHOLE, **change}),
        ("PATCH", path(business, branch), change),
    ):
        answer = await sut.client.request(method, target, json=body, headers=owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed"), answer.text
        assert {error["field"] for error in answer.json()["errors"]} == {field}
