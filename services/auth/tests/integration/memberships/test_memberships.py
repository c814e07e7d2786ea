"""One's own memberships and invitations."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from contracts.events.auth import MemberAdded
from kernel import new_id

pytestmark = pytest.mark.integration

MINE = "/auth/memberships"


async def invite(world: Any, owner: Any, business: dict[str, Any], phone: str) -> str:
    answer = await world.post(f"/businesses/{business['id']}/members", {"phone": phone}, owner.headers)
    member_id: str = answer.json()["data"]["id"]
    return member_id


async def test_an_invitation_waits_for_a_phone_to_register_and_to_be_verified(world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    phone = world.phone()
    member_id = await invite(world, owner, business, phone)
    employee = await world.register(phone=phone)
    # Anybody can register a phone; until it is verified this may be anybody.
    assert (await world.get(MINE, employee.headers)).json()["data"] == []
    early = await world.post(f"{MINE}/{member_id}/accept", headers=employee.headers)
    assert (early.status_code, early.json()["code"]) == (404, "membership_not_found")
    await world.verify_phone(employee)
    [invitation] = (await world.get(MINE, employee.headers)).json()["data"]
    assert invitation == {
        "id": member_id,
        "businessId": business["id"],
        "businessName": business["name"],
        "role": "EMPLOYEE",
        "branchIds": [],
        "status": "INVITED",
        "createdAt": invitation["createdAt"],
        "updatedAt": invitation["createdAt"],
    }
    accepted = await world.post(f"{MINE}/{member_id}/accept", headers=employee.headers)
    assert (accepted.status_code, accepted.json()["data"]["status"]) == (200, "ACTIVE")


async def test_accepting_many_times_is_accepting_once(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    member_id = await invite(world, owner, business, employee.phone)
    await world.verify_phone(employee)
    answers = await asyncio.gather(
        *(world.post(f"{MINE}/{member_id}/accept", headers=employee.headers) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await sut.published(MemberAdded, aggregate_id=UUID(member_id))) == 1


async def test_nobody_else_accepts_or_declines(sut: Any, world: Any) -> None:
    owner, employee, stranger = [await world.register() for _ in range(3)]
    business = await world.open_business(owner)
    member_id = await invite(world, owner, business, employee.phone)
    for who in (employee, stranger):
        await world.verify_phone(who)
    for someone in (stranger, owner):
        accepted = await world.post(f"{MINE}/{member_id}/accept", headers=someone.headers)
        declined = await sut.client.delete(f"/api/v1{MINE}/{member_id}", headers=someone.headers)
        assert (accepted.status_code, declined.status_code) == (404, 404)
    assert len((await world.get(MINE, employee.headers)).json()["data"]) == 1


async def test_declining_and_leaving(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    await world.verify_phone(employee)
    declined = await invite(world, owner, business, employee.phone)
    assert (await sut.client.delete(f"/api/v1{MINE}/{declined}", headers=employee.headers)).status_code == 204
    assert (await world.get(MINE, employee.headers)).json()["data"] == []
    joined = await world.employ(business["id"], employee, [])
    assert (await sut.client.delete(f"/api/v1{MINE}/{joined}", headers=employee.headers)).status_code == 204
    employee = await world.refresh(employee)
    assert (await world.get(f"/businesses/{business['id']}", employee.headers)).status_code == 404
    members = (await world.get(f"/businesses/{business['id']}/members", owner.headers)).json()["data"]
    assert [member["role"] for member in members] == ["OWNER"]


async def test_an_invitation_taken_back_cannot_be_accepted(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    await world.verify_phone(employee)
    for _ in range(4):
        member_id = await invite(world, owner, business, employee.phone)
        accepted, removed = await asyncio.gather(
            world.post(f"{MINE}/{member_id}/accept", headers=employee.headers),
            sut.client.delete(f"/api/v1/businesses/{business['id']}/members/{member_id}", headers=owner.headers),
        )
        assert removed.status_code == 204
        assert accepted.status_code in {200, 404}
        employee = await world.refresh(employee)
        assert (await world.get(f"/businesses/{business['id']}", employee.headers)).status_code == 404


async def test_what_belongs_to_a_closed_business_is_gone(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    await world.verify_phone(employee)
    member_id = await invite(world, owner, business, employee.phone)
    await sut.client.delete(f"/api/v1/businesses/{business['id']}", headers=owner.headers)
    assert (await world.get(MINE, employee.headers)).json()["data"] == []
    assert (await world.post(f"{MINE}/{member_id}/accept", headers=employee.headers)).status_code == 404


async def test_the_list_in_pages(world: Any) -> None:
    owner = await world.register()
    opened = [(await world.open_business(owner, name=f"Tienda {n}"))["id"] for n in range(3)]
    first = (await world.get(f"{MINE}?limit=2", owner.headers)).json()
    rest = (await world.get(f"{MINE}?limit=2&cursor={first['meta']['nextCursor']}", owner.headers)).json()
    assert [item["businessId"] for item in first["data"] + rest["data"]] == opened[::-1]
    assert {item["role"] for item in first["data"]} == {"OWNER"}
    unknown = await world.post(f"{MINE}/{new_id()}/accept", headers=owner.headers)
    assert unknown.status_code == 404
