"""Members as the owner of a business sees them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from contracts.events.auth import MemberAdded, MemberRemoved, MemberUpdated
from kernel import new_id

pytestmark = pytest.mark.integration


def path(business: dict[str, Any], member_id: str | None = None) -> str:
    base = f"/businesses/{business['id']}/members"
    return base if member_id is None else f"{base}/{member_id}"


async def request(sut: Any, method: str, target: str, account: Any, json: Any = None) -> Any:
    return await sut.client.request(method, f"/api/v1{target}", json=json, headers=account.headers)


async def test_an_invitation_becomes_a_membership_when_it_is_accepted(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register(firstName="Ana", lastName="Ruiz")
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    body = {"phone": employee.phone, "firstName": "Anita", "branchIds": [branch["id"]]}
    answer = await world.post(path(business), body, owner.headers)
    assert answer.status_code == 201
    invited = answer.json()["data"]
    assert invited == {
        "id": invited["id"],
        "businessId": business["id"],
        "userId": None,
        "phone": employee.phone,
        "firstName": "Anita",
        "lastName": None,
        "role": "EMPLOYEE",
        "branchIds": [branch["id"]],
        "status": "INVITED",
        "createdAt": invited["createdAt"],
        "updatedAt": invited["createdAt"],
    }
    assert await sut.published(aggregate_id=UUID(invited["id"])) == []
    await world.verify_phone(employee)
    assert (await world.get(f"/businesses/{business['id']}", employee.headers)).status_code == 404
    await world.post(f"/auth/memberships/{invited['id']}/accept", headers=employee.headers)
    joined = (await world.get(path(business, invited["id"]), owner.headers)).json()["data"]
    assert joined == {
        **invited,
        "userId": str(employee.id),
        "lastName": "Ruiz",
        "status": "ACTIVE",
        "updatedAt": joined["updatedAt"],
    }
    # The token of before knows nothing of the business, and works for it.
    assert (await world.get(f"/businesses/{business['id']}", employee.headers)).status_code == 200
    assert await sut.published(aggregate_id=UUID(invited["id"])) == [
        MemberAdded(
            aggregate_id=UUID(invited["id"]),
            aggregate_version=2,
            business_id=UUID(business["id"]),
            user_id=employee.id,
            role="EMPLOYEE",
            branch_ids=(UUID(branch["id"]),),
        )
    ]


async def test_the_answer_tells_nobody_whether_a_phone_has_an_account(world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    known, unverified = await world.register(firstName="Ana"), await world.register(firstName="Eva")
    await world.verify_phone(known)
    phones = [known.phone, unverified.phone, world.phone()]
    answers = [(await world.post(path(business), {"phone": phone}, owner.headers)).json() for phone in phones]
    told = [{**answer["data"], "id": "", "phone": "", "createdAt": "", "updatedAt": ""} for answer in answers]
    assert told[0] == told[1] == told[2]
    listed = (await world.get(path(business) + "?status=INVITED", owner.headers)).json()["data"]
    assert [(item["phone"], item["userId"], item["firstName"]) for item in reversed(listed)] == [
        (phone, None, None) for phone in phones
    ]


async def test_a_business_has_each_phone_once(world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business, other = await world.open_business(owner), await world.open_business(owner)
    bodies = [{"phone": employee.phone}] * 5
    answers = await asyncio.gather(*(world.post(path(business), body, owner.headers) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "member_exists"}
    own = await world.post(path(business), {"phone": owner.phone}, owner.headers)
    assert (own.status_code, own.json()["code"]) == (409, "member_exists")
    assert (await world.post(path(other), {"phone": employee.phone}, owner.headers)).status_code == 201


async def test_a_removed_person_can_be_invited_again(world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    member_id = await world.employ(business["id"], employee, [])
    target = f"/api/v1{path(business, member_id)}"
    assert (await world.sut.client.delete(target, headers=owner.headers)).status_code == 204
    assert (await world.sut.client.delete(target, headers=owner.headers)).status_code == 404
    assert await world.employ(business["id"], await world.refresh(employee), []) != member_id


async def test_a_repeated_invitation_under_one_key_is_one(world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    headers = {**owner.headers, "Idempotency-Key": str(new_id())}
    body = {"phone": world.phone()}
    first, again = [await world.post(path(business), body, headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_branches_are_living_ones_of_the_same_business(world: Any) -> None:
    owner, stranger = await world.register(), await world.register()
    business, foreign = await world.open_business(owner), await world.open_business(stranger)
    own = await world.open_branch(owner, business["id"])
    closed = await world.open_branch(owner, business["id"])
    await world.sut.client.delete(f"/api/v1/businesses/{business['id']}/branches/{closed['id']}", headers=owner.headers)
    refused = []
    for branch_id in (closed["id"], (await world.open_branch(stranger, foreign["id"]))["id"], str(new_id())):
        body = {"phone": world.phone(), "branchIds": [own["id"], branch_id]}
        answer = await world.post(path(business), body, owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_branch")
        refused.append({**answer.json(), "requestId": ""})
    assert refused[0] == refused[1] == refused[2]
    twice = {"phone": world.phone(), "branchIds": [own["id"], own["id"]]}
    assert (await world.post(path(business), twice, owner.headers)).json()["data"]["branchIds"] == [own["id"]]


async def test_changing_a_member(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    first, second = [(await world.open_branch(owner, business["id"], name=name))["id"] for name in ("A", "B")]
    member_id = await world.employ(business["id"], employee, [first])
    changed = await request(
        sut, "PATCH", path(business, member_id), owner, {"branchIds": [second], "firstName": "Anita"}
    )
    assert (changed.json()["data"]["branchIds"], changed.json()["data"]["firstName"]) == ([second], "Anita")
    nothing = await request(sut, "PATCH", path(business, member_id), owner, {"branchIds": [second]})
    assert nothing.json() == changed.json()
    [added, updated] = await sut.published(aggregate_id=UUID(member_id))
    assert isinstance(added, MemberAdded)
    assert isinstance(updated, MemberUpdated)
    assert (updated.aggregate_version, updated.branch_ids) == (3, (UUID(second),))
    for body in ({"branchIds": None}, {"branchIds": ["x"]}, {"phone": world.phone()}, {"role": "OWNER"}):
        assert (await request(sut, "PATCH", path(business, member_id), owner, body)).status_code == 400


async def test_a_closed_branch_is_taken_from_its_employees(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    first, second = [(await world.open_branch(owner, business["id"], name=name))["id"] for name in ("A", "B")]
    member_id = await world.employ(business["id"], employee, [first, second])
    invited = await world.post(path(business), {"phone": world.phone(), "branchIds": [first]}, owner.headers)
    await request(sut, "DELETE", f"/businesses/{business['id']}/branches/{first}", owner)
    for one, left in ((member_id, [second]), (invited.json()["data"]["id"], [])):
        assert (await world.get(path(business, one), owner.headers)).json()["data"]["branchIds"] == left
    assert (await sut.published(MemberUpdated, aggregate_id=UUID(member_id)))[-1].branch_ids == (UUID(second),)


async def test_the_list_in_pages_and_by_branch(world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    ids = [
        (
            await world.post(
                path(business),
                {"phone": world.phone(), "branchIds": [branch["id"]] if n == 1 else []},
                owner.headers,
            )
        ).json()["data"]["id"]
        for n in range(3)
    ]
    first = (await world.get(path(business) + "?limit=2", owner.headers)).json()
    rest = (await world.get(f"{path(business)}?limit=2&cursor={first['meta']['nextCursor']}", owner.headers)).json()
    assert [item["id"] for item in first["data"] + rest["data"]][:3] == ids[::-1]
    assert (first["meta"]["total"], rest["data"][-1]["role"], rest["data"][-1]["phone"]) == (4, "OWNER", owner.phone)
    assigned = (await world.get(f"{path(business)}?branchId={branch['id']}", owner.headers)).json()["data"]
    assert [item["id"] for item in assigned] == [ids[1]]
    active = (await world.get(path(business) + "?status=ACTIVE", owner.headers)).json()["data"]
    assert [item["userId"] for item in active] == [str(owner.id)]


async def test_the_owner_is_neither_changed_nor_removed(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    [member] = (await world.get(path(business), owner.headers)).json()["data"]
    for method, json in (("PATCH", {"branchIds": []}), ("DELETE", None)):
        answer = await request(sut, method, path(business, member["id"]), owner, json)
        assert (answer.status_code, answer.json()["code"]) == (422, "owner_immutable")
    answer = await request(sut, "DELETE", f"/auth/memberships/{member['id']}", owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "owner_immutable")


async def test_an_employee_reads_nothing_of_members_and_may_leave(sut: Any, world: Any) -> None:
    owner, employee, colleague = [await world.register() for _ in range(3)]
    business = await world.open_business(owner)
    own, other = [await world.employ(business["id"], who, []) for who in (employee, colleague)]
    for method, target, json in (
        ("GET", path(business), None),
        ("POST", path(business), {"phone": world.phone()}),
        ("GET", path(business, own), None),
        ("PATCH", path(business, own), {"branchIds": []}),
        ("DELETE", path(business, other), None),
        ("DELETE", path(business, str(new_id())), None),
    ):
        answer = await request(sut, method, target, employee, json)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, target)
    assert (await request(sut, "DELETE", path(business, own), employee)).status_code == 204
    [*_, removed] = await sut.published(aggregate_id=UUID(own))
    assert isinstance(removed, MemberRemoved)
    assert (await world.get(path(business, other), owner.headers)).json()["data"]["status"] == "ACTIVE"


async def test_members_of_another_tenant_do_not_exist(sut: Any, world: Any) -> None:
    owner, stranger = await world.register(), await world.register()
    business, foreign = await world.open_business(owner), await world.open_business(stranger)
    member_id = await world.employ(business["id"], await world.register(), [])
    for method, json in (("GET", None), ("PATCH", {"branchIds": []}), ("DELETE", None)):
        through_theirs = await request(sut, method, path(business, member_id), stranger, json)
        through_own = await request(sut, method, path(foreign, member_id), stranger, json)
        absent = await request(sut, method, path(foreign, str(new_id())), stranger, json)
        assert (through_theirs.status_code, through_theirs.json()["code"]) == (404, "business_not_found")
        assert (through_own.status_code, through_own.json()["code"]) == (404, "member_not_found")
        assert {**through_own.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
    assert (await world.post(path(business), {"phone": world.phone()}, stranger.headers)).status_code == 404
    assert (await world.get(path(business), stranger.headers)).status_code == 404
    assert (await world.get(path(business, member_id), owner.headers)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "55 1234 5678"},
        {"phone": "+525512345678", "branchIds": ["not an id"]},
        {"phone": "+525512345678", "branchIds": None},
        {"phone": "+525512345678", "branchIds": [str(new_id()) for _ in range(51)]},
        {"phone": "+525512345678", "role": "OWNER"},
        {"phone": "+525512345678", "firstName": ""},
    ],
)
async def test_bad_input_is_a_400(world: Any, body: dict[str, Any]) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    answer = await world.post(path(business), body, owner.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


async def test_of_assigning_a_branch_and_closing_it_neither_is_lost(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    for _ in range(5):
        branch = (await world.open_branch(owner, business["id"]))["id"]
        body = {"phone": world.phone(), "branchIds": [branch]}
        invited, _ = await asyncio.gather(
            world.post(path(business), body, owner.headers),
            request(sut, "DELETE", f"/businesses/{business['id']}/branches/{branch}", owner),
        )
        if invited.status_code == 201:
            member = await world.get(path(business, invited.json()["data"]["id"]), owner.headers)
            assert member.json()["data"]["branchIds"] == []
        else:
            assert invited.json()["code"] == "unknown_branch"
