"""Businesses over REST."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from chassis.auth import Role
from chassis.testing.tokens import make_principal
from contracts.events.auth import BranchDeleted, BusinessCreated, BusinessDeleted, BusinessUpdated
from kernel import Country, Currency, new_id

pytestmark = pytest.mark.integration

WHOLE = {
    "name": "Abarrotes Lupita",
    "legalName": "Guadalupe Treviño",
    "taxId": "eku900317-3c9",
    "country": "MX",
    "industry": "retail",
    "address": "Av. Juárez 10",
    "city": "Ciudad de México",
    "state": "CDMX",
    "postalCode": "06000",
    "phone": "+525512345678",
    "email": "hola@example.com",
    "website": "https://lupita.example.com",
    "timeZone": "America/Tijuana",
    "isActive": True,
}


def path(business: dict[str, Any]) -> str:
    return f"/api/v1/businesses/{business['id']}"


async def test_a_merchant_opens_a_business(sut: Any, world: Any) -> None:
    owner = await world.register()
    answer = await world.post("/businesses", WHOLE, owner.headers)
    assert answer.status_code == 201
    business = answer.json()["data"]
    assert business == {
        **WHOLE,
        "id": business["id"],
        "ownerId": str(owner.id),
        "taxId": "EKU9003173C9",
        "currency": "MXN",
        "createdAt": business["createdAt"],
        "updatedAt": business["createdAt"],
    }
    # The token is older than the business and works for it all the same.
    assert (await sut.client.get(path(business), headers=owner.headers)).json()["data"] == business
    [event] = await sut.published(aggregate_id=UUID(business["id"]))
    assert event == BusinessCreated(
        aggregate_id=UUID(business["id"]),
        aggregate_version=1,
        business_id=UUID(business["id"]),
        owner_id=owner.id,
        country=Country.MX,
        currency=Currency.MXN,
        time_zone="America/Tijuana",
        is_active=True,
    )


@pytest.mark.parametrize(
    ("country", "tax_id", "kept", "currency", "zone"),
    [
        ("MX", "EKU9003173C9", "EKU9003173C9", "MXN", "America/Mexico_City"),
        ("CO", "800.197.268-4", "800197268-4", "COP", "America/Bogota"),
        ("AR", "30-71234567-1", "30712345671", "ARS", "America/Argentina/Buenos_Aires"),
        ("CL", "76.086.428-5", "76086428-5", "CLP", "America/Santiago"),
        ("CL", None, None, "CLP", "America/Santiago"),
    ],
)
async def test_what_follows_from_the_country(
    world: Any, country: str, tax_id: str | None, kept: str | None, currency: str, zone: str
) -> None:
    business = await world.open_business(await world.register(), country=country, taxId=tax_id)
    assert (business["taxId"], business["currency"], business["timeZone"]) == (kept, currency, zone)


async def test_the_list_is_the_callers_own_newest_first_in_pages(sut: Any, world: Any) -> None:
    owner, stranger = await world.register(), await world.register()
    await world.open_business(stranger)
    opened = [(await world.open_business(owner, name=f"Tienda {n}"))["id"] for n in range(5)]
    first = (await world.get("/businesses?limit=2", owner.headers)).json()
    assert [item["id"] for item in first["data"]] == opened[:-3:-1]
    assert (first["meta"]["total"], first["meta"]["totalPages"]) == (5, 3)
    second = (await world.get(f"/businesses?limit=2&cursor={first['meta']['nextCursor']}", owner.headers)).json()
    third = (await world.get("/businesses?limit=2&page=3", owner.headers)).json()
    assert [item["id"] for page in (first, second, third) for item in page["data"]] == opened[::-1]
    assert third["meta"]["nextCursor"] is None


async def test_an_administrator_sees_every_business_and_may_change_it(sut: Any, world: Any) -> None:
    business = await world.open_business(await world.register())
    admin = world.as_(make_principal(role=Role.ADMIN))
    assert (await sut.client.get(path(business), headers=admin)).status_code == 200
    assert (await world.get("/businesses?limit=1", admin)).json()["data"][0]["id"] == business["id"]
    assert (await sut.client.patch(path(business), json={"isActive": False}, headers=admin)).status_code == 200
    assert (await world.get(f"/businesses/{new_id()}", admin)).status_code == 404


async def test_another_tenants_business_does_not_exist(sut: Any, world: Any) -> None:
    business = await world.open_business(await world.register())
    stranger = await world.register()
    absent = {"id": str(new_id())}
    for method, json in (("GET", None), ("PUT", WHOLE), ("PATCH", {"name": "Mía"}), ("DELETE", None)):
        bodies = []
        for target in (business, absent):
            answer = await sut.client.request(method, path(target), json=json, headers=stranger.headers)
            assert answer.status_code == 404
            bodies.append({**answer.json(), "requestId": ""})
        assert bodies[0] == bodies[1]
        assert bodies[0]["code"] == "business_not_found"
    assert (await world.get("/businesses", stranger.headers)).json()["data"] == []


async def test_an_employee_reads_and_changes_nothing(sut: Any, world: Any) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    await world.employ(business["id"], employee, [])
    assert (await sut.client.get(path(business), headers=employee.headers)).status_code == 200
    assert [b["id"] for b in (await world.get("/businesses", employee.headers)).json()["data"]] == [business["id"]]
    for method, json in (("PUT", WHOLE), ("PATCH", {"name": "Mía"}), ("DELETE", None)):
        answer = await sut.client.request(method, path(business), json=json, headers=employee.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", [Role.EMPLOYEE, Role.CUSTOMER])
async def test_only_a_merchant_opens_one(sut: Any, world: Any, role: Role) -> None:
    answer = await world.post("/businesses", WHOLE, world.as_(make_principal(role=role)))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_merchant")


async def test_a_token_is_needed(sut: Any, world: Any) -> None:
    assert (await world.post("/businesses", WHOLE)).status_code == 401
    assert (await world.get("/businesses")).status_code == 401
    expired = sut.tokens.issue(make_principal(), lifetime=-1)
    answer = await world.get("/businesses", {"Authorization": f"Bearer {expired}"})
    assert answer.json()["code"] == "token_expired"


async def test_put_replaces_and_forgets_what_is_not_said(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = (await world.post("/businesses", WHOLE, owner.headers)).json()["data"]
    body = {"name": "Lupita", "country": "MX"}
    answer = await sut.client.put(path(business), json=body, headers=owner.headers)
    assert answer.status_code == 200
    replaced = answer.json()["data"]
    assert replaced["name"] == "Lupita"
    assert {replaced[name] for name in ("legalName", "taxId", "phone", "email", "website", "city")} == {None}
    assert (replaced["timeZone"], replaced["isActive"]) == ("America/Mexico_City", True)


async def test_patch_changes_the_named_fields_and_tells_others(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = (await world.post("/businesses", WHOLE, owner.headers)).json()["data"]
    answer = await sut.client.patch(path(business), json={"isActive": False, "email": None}, headers=owner.headers)
    changed = answer.json()["data"]
    assert {name for name in changed if changed[name] != business[name]} <= {"isActive", "email", "updatedAt"}
    assert (changed["isActive"], changed["email"]) == (False, None)
    [event] = await sut.published(BusinessUpdated, aggregate_id=UUID(business["id"]))
    assert (event.aggregate_version, event.is_active) == (2, False)


async def test_a_change_to_what_already_is_changes_nothing(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = (await world.post("/businesses", WHOLE, owner.headers)).json()["data"]
    for method, body in (("PATCH", {}), ("PATCH", {"name": WHOLE["name"], "taxId": "EKU9003173C9"}), ("PUT", WHOLE)):
        answer = await sut.client.request(method, path(business), json=body, headers=owner.headers)
        assert answer.json()["data"] == business
    assert await sut.published(BusinessUpdated, aggregate_id=UUID(business["id"])) == []


async def test_concurrent_changes_are_told_in_versions_without_gap(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    answers = await asyncio.gather(
        *(sut.client.patch(path(business), json={"name": f"T{n}"}, headers=owner.headers) for n in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    events = await sut.published(aggregate_id=UUID(business["id"]))
    assert sorted(event.aggregate_version for event in events) == list(range(1, 10))


async def test_the_country_never_changes(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    for method, body in (("PUT", {**WHOLE, "country": "CO", "taxId": None}), ("PATCH", {"country": "CL"})):
        answer = await sut.client.request(method, path(business), json=body, headers=owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "country_immutable")
    same = await sut.client.patch(path(business), json={"country": "MX", "name": "Otra"}, headers=owner.headers)
    assert same.status_code == 200


async def test_a_deleted_business_is_gone_with_its_branches(sut: Any, world: Any) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    branches = [await world.open_branch(owner, business["id"]) for _ in range(2)]
    assert (await sut.client.delete(path(business), headers=owner.headers)).status_code == 204
    owner = await world.refresh(owner)
    for target in ("", "/branches", f"/branches/{branches[0]['id']}"):
        assert (await sut.client.get(path(business) + target, headers=owner.headers)).status_code == 404
    assert (await sut.client.delete(path(business), headers=owner.headers)).status_code == 404
    assert (await world.get("/businesses", owner.headers)).json()["data"] == []
    [event] = await sut.published(BusinessDeleted, aggregate_id=UUID(business["id"]))
    assert event.aggregate_version == 2
    for branch in branches:
        [event] = await sut.published(BranchDeleted, aggregate_id=UUID(branch["id"]))
        assert event.aggregate_version == 2
    principal = await sut.kit.verifier.verify((await world.login(owner))["accessToken"])
    assert principal.memberships == {}


async def test_no_branch_outlives_a_business_deleted_at_the_same_time(sut: Any, world: Any) -> None:
    owner = await world.register()
    for _ in range(5):
        business = await world.open_business(owner)
        opened, deleted = await asyncio.gather(
            world.post(f"/businesses/{business['id']}/branches", {"name": "Centro"}, owner.headers),
            sut.client.delete(path(business), headers=owner.headers),
        )
        assert deleted.status_code == 204
        assert opened.status_code in {201, 401, 404}
        owner = await world.refresh(owner)
        [row] = await world.sql(
            "SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS open FROM branches WHERE business_id = :id",
            id=UUID(business["id"]),
        )
        assert row.open == 0


async def test_a_repeated_request_opens_one(sut: Any, world: Any) -> None:
    owner = await world.register()
    headers = {**owner.headers, "Idempotency-Key": str(new_id())}
    answers = await asyncio.gather(*(world.post("/businesses", WHOLE, headers) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["code"], answer.headers["Retry-After"]) == ("idempotency_in_progress", "1")
    again = await world.post("/businesses", WHOLE, headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    reused = await world.post("/businesses", {**WHOLE, "name": "Otra"}, headers)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert (await world.get("/businesses", owner.headers)).json()["meta"]["total"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": None}, "name"),
        ({"name": "A" * 10_000}, "name"),
        ({"name": "nul\x00"}, "name"),
        ({"country": "US"}, "country"),
        ({"country": "mx"}, "country"),
        ({"country": None}, "country"),
        ({"taxId": "EKU9003173C8"}, "taxId"),
        ({"taxId": "800197268-4"}, "taxId"),
        ({"taxId": "' OR 1=1 --"}, "taxId"),
        ({"taxId": ""}, "taxId"),
        ({"phone": "55 1234"}, "phone"),
        ({"email": "@"}, "email"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"timeZone": "America/Macondo"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"postalCode": "<b>"}, "postalCode"),
        ({"isActive": "maybe"}, "isActive"),
        ({"currency": "USD"}, "currency"),
        ({"ownerId": str(new_id())}, "ownerId"),
        ({"version": 7}, "version"),
    ],
)
async def test_bad_input_is_named(sut: Any, world: Any, change: dict[str, Any], field: str) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    for method, target, body in (
        ("POST", "/api/v1/businesses", {**WHOLE, **change}),
        ("PUT", path(business), {**WHOLE, **change}),
        ("PATCH", path(business), change),
    ):
        answer = await sut.client.request(method, target, json=body, headers=owner.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed"), answer.text
        assert {error["field"] for error in answer.json()["errors"]} == {field}


@pytest.mark.parametrize("id", ["x", "1", "00000000-0000-0000-0000-00000000000g", "%00", "' OR 1=1"])
async def test_what_is_no_id_is_a_400(world: Any, id: str) -> None:
    owner = await world.register()
    assert (await world.get(f"/businesses/{id}", owner.headers)).status_code == 400


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "'; DROP TABLE businesses; --", "🌮 Taquería Ñandú"])
async def test_strange_names_are_only_names(world: Any, name: str) -> None:
    business = await world.open_business(await world.register(), name=name, legalName=name, address=name)
    assert (business["name"], business["legalName"], business["address"]) == (name, name, name)
