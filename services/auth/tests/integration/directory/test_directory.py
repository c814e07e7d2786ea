"""The Directory as other services use it: through the chassis' client."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc
import pytest
from chassis.auth import BusinessRole
from chassis.directory import Directory
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from kernel import Country, Currency, NotFound, new_id

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
async def stub(sut: Any) -> directory_pb2_grpc.DirectoryStub:
    return directory_pb2_grpc.DirectoryStub(await sut.channel())


@pytest.fixture(scope="session")
async def directory(sut: Any, stub: directory_pb2_grpc.DirectoryStub) -> Directory:
    return Directory(stub, sut.kit.cache)


async def test_a_business_with_its_contacts(world: Any, directory: Directory) -> None:
    owner = await world.register()
    opened = await world.open_business(owner, legalName="Guadalupe Treviño", phone="+525512345678", country="MX")
    profile = await directory.profile(UUID(opened["id"]))
    assert (profile.legal_name, profile.tax_id, profile.phone, profile.email) == (
        "Guadalupe Treviño",
        "EKU9003173C9",
        "+525512345678",
        "",
    )
    business = await directory.business(UUID(opened["id"]))
    assert (business.owner_id, business.country, business.currency) == (owner.id, Country.MX, Currency.MXN)
    assert (business.name, business.time_zone, business.is_active) == (
        "Abarrotes Lupita",
        "America/Mexico_City",
        True,
    )


async def test_a_branch_and_the_first_one(sut: Any, world: Any, directory: Directory) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    business_id = UUID(business["id"])
    with pytest.raises(NotFound):
        await directory.branch(business_id)
    first, second = [await world.open_branch(owner, business["id"], name=name) for name in ("Centro", "Norte")]
    assert (await directory.branch(business_id)).id == UUID(first["id"])
    assert (await directory.branch(business_id, UUID(second["id"]))).name == "Norte"
    await sut.client.delete(f"/api/v1/businesses/{business['id']}/branches/{first['id']}", headers=owner.headers)
    assert (await directory.branch(business_id)).id == UUID(second["id"])
    with pytest.raises(NotFound):
        await directory.branch(UUID((await world.open_business(owner))["id"]), UUID(second["id"]))


async def test_a_membership(world: Any, directory: Directory) -> None:
    owner, employee = await world.register(), await world.register()
    business = await world.open_business(owner)
    business_id = UUID(business["id"])
    branch = await world.open_branch(owner, business["id"])
    await world.employ(business["id"], employee, [branch["id"]])
    owned = await directory.membership(owner.id, business_id)
    assert owned is not None
    assert (owned.role, owned.branch_ids) == (BusinessRole.OWNER, frozenset())
    worked = await directory.membership(employee.id, business_id)
    assert worked is not None
    assert (worked.role, worked.branch_ids) == (BusinessRole.EMPLOYEE, frozenset({UUID(branch["id"])}))
    assert await directory.membership(new_id(), business_id) is None


async def test_a_deleted_business_is_not_found(sut: Any, world: Any, directory: Directory) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    business_id = UUID(business["id"])
    await sut.client.delete(f"/api/v1/businesses/{business['id']}", headers=owner.headers)
    with pytest.raises(NotFound, match="Business"):
        await directory.profile(business_id)
    with pytest.raises(NotFound, match="Branch"):
        await directory.branch(business_id, UUID(branch["id"]))
    assert await directory.membership(owner.id, business_id) is None


async def test_a_deleted_user_belongs_to_nothing(world: Any, directory: Directory) -> None:
    owner = await world.register()
    business = await world.open_business(owner)
    await world.delete_user(owner)
    assert await directory.membership(owner.id, UUID(business["id"])) is None


@pytest.mark.parametrize("id", ["", "x", "' OR 1=1 --", "\x00"])
async def test_what_is_no_id_is_invalid(sut: Any, stub: directory_pb2_grpc.DirectoryStub, id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetBusiness(directory_pb2.GetBusinessRequest(business_id=id), timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    sessions = directory_pb2_grpc.SessionsStub(await sut.channel())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sessions.CheckSession(directory_pb2.CheckSessionRequest(session_id=id), timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_session_nobody_opened_is_not_active(sut: Any) -> None:
    sessions = directory_pb2_grpc.SessionsStub(await sut.channel())
    answer = await sessions.CheckSession(directory_pb2.CheckSessionRequest(session_id=str(new_id())), timeout=5)
    assert not answer.active


async def test_all_memberships_of_a_user(sut: Any, world: Any, stub: directory_pb2_grpc.DirectoryStub) -> None:
    owner, employee = await world.register(), await world.register()
    own = await world.open_business(employee)
    business = await world.open_business(owner)
    branch = await world.open_branch(owner, business["id"])
    member = await world.employ(business["id"], employee, [branch["id"]])
    invited = await world.open_business(owner)
    await world.post(f"/businesses/{invited['id']}/members", {"phone": employee.phone}, owner.headers)

    async def listed(user_id: UUID) -> list[tuple[str, str, list[str]]]:
        request = directory_pb2.ListMembershipsRequest(user_id=str(user_id))
        answer = await stub.ListMemberships(request, timeout=5)
        return [(item.business_id, item.role, list(item.branch_ids)) for item in answer.memberships]

    assert sorted(await listed(employee.id)) == sorted(
        [(business["id"], "EMPLOYEE", [branch["id"]]), (own["id"], "OWNER", [])]
    )
    await sut.client.delete(f"/api/v1/businesses/{business['id']}/members/{member}", headers=owner.headers)
    assert await listed(employee.id) == [(own["id"], "OWNER", [])]
    assert await listed(new_id()) == []


async def test_how_a_user_can_be_reached(sut: Any, world: Any, stub: directory_pb2_grpc.DirectoryStub) -> None:
    email = f"ana{new_id().hex}@example.com"
    account = await world.register(email=email, firstName="Ana")
    plain = await world.register()
    await sut.client.patch("/api/v1/auth/me", json={"language": "pt"}, headers=plain.headers)
    await world.verify_phone(plain)
    found = await stub.GetUser(directory_pb2.GetUserRequest(user_id=str(account.id)), timeout=5)
    assert found == directory_pb2.User(
        id=str(account.id), phone=account.phone, email=email, first_name="Ana", language="es"
    )
    found = await stub.GetUser(directory_pb2.GetUserRequest(user_id=str(plain.id)), timeout=5)
    assert found == directory_pb2.User(id=str(plain.id), phone=plain.phone, phone_verified=True, language="pt")
    await world.delete_user(plain)
    for user_id, code in (
        (str(plain.id), grpc.StatusCode.NOT_FOUND),
        (str(new_id()), grpc.StatusCode.NOT_FOUND),
        ("x", grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetUser(directory_pb2.GetUserRequest(user_id=user_id), timeout=5)
        assert refused.value.code() == code
