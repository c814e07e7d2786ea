"""The directory over a real gRPC server and a real Redis."""

import os
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from chassis.bus.received import Received
from chassis.cache import Cache, connect_redis
from chassis.directory import Directory
from chassis.rpc.client import open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from contracts.auth.v1 import directory_pb2, directory_pb2_grpc
from contracts.events.auth import BusinessUpdated
from kernel import Country, Currency, NotFound, SystemClock, Unavailable, new_id

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-at-least-32-characters"
BUSINESS, BRANCH = new_id(), new_id()


class Auth(directory_pb2_grpc.DirectoryServicer):
    def __init__(self) -> None:
        self.name = "Abarrotes Lupita"
        self.asked = 0

    async def GetBusiness(self, request: Any, context: Any) -> directory_pb2.Business:
        self.asked += 1
        if not self.name:
            raise NotFound("Business not found", code="business_not_found")
        return directory_pb2.Business(
            id=request.business_id,
            name=self.name,
            owner_id=str(new_id()),
            country="MX",
            currency="MXN",
            time_zone="America/Mexico_City",
            is_active=True,
            phone="+525512345678",
        )

    async def GetMembership(self, request: Any, context: Any) -> directory_pb2.Membership:
        self.asked += 1
        return directory_pb2.Membership(user_id=request.user_id, business_id=request.business_id, role="OWNER")

    async def ListMemberships(self, request: Any, context: Any) -> directory_pb2.ListMembershipsResponse:
        self.asked += 1
        if not self.name:
            raise Unavailable("Not now")
        mine = directory_pb2.Membership(
            user_id=request.user_id, business_id=str(BUSINESS), role="EMPLOYEE", branch_ids=[str(BRANCH)]
        )
        return directory_pb2.ListMembershipsResponse(memberships=[mine])


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
async def channel(auth: Auth) -> AsyncIterator[grpc.aio.Channel]:
    name = directory_pb2.DESCRIPTOR.services_by_name["Directory"].full_name
    service = RpcService(name, directory_pb2_grpc.add_DirectoryServicer_to_server, auth)
    server = RpcServer("auth", [service], ServiceIdentity("auth", SECRET))
    port = await server.start("127.0.0.1:0")
    channel = open_channel("auth", f"127.0.0.1:{port}", ServiceIdentity("sales", SECRET))
    yield channel
    await channel.close()
    await server.stop(0)


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    cache = Cache(connect_redis(os.environ["TEST_REDIS_URL"]), "sales")
    yield cache
    await cache.close()


def directory_of(channel: grpc.aio.Channel, cache: Cache) -> Directory:
    return Directory(directory_pb2_grpc.DirectoryStub(channel), cache)


async def test_a_business_is_asked_for_once_by_all_processes(
    auth: Auth, channel: grpc.aio.Channel, cache: Cache
) -> None:
    business_id = new_id()
    here, elsewhere = directory_of(channel, cache), directory_of(channel, cache)

    found = [await here.business(business_id), await here.business(business_id), await elsewhere.business(business_id)]

    assert auth.asked == 1
    assert {(b.id, b.country, b.currency) for b in found} == {(business_id, Country.MX, Currency.MXN)}


async def test_a_change_is_seen_at_once_where_its_event_arrives(
    auth: Auth, channel: grpc.aio.Channel, cache: Cache
) -> None:
    business_id = new_id()
    directory = directory_of(channel, cache)
    await directory.business(business_id)
    auth.name = "La Nueva Lupita"
    event = BusinessUpdated(
        aggregate_id=business_id,
        aggregate_version=2,
        business_id=business_id,
        owner_id=new_id(),
        country=Country.MX,
        currency=Currency.MXN,
        time_zone="America/Mexico_City",
        is_active=True,
    )

    await directory.forget(Received(new_id(), "catalog.directory", event, SystemClock().now()))

    assert (await directory.business(business_id)).name == "La Nueva Lupita"


async def test_an_absent_business_is_not_remembered(auth: Auth, channel: grpc.aio.Channel, cache: Cache) -> None:
    business_id = new_id()
    directory = directory_of(channel, cache)
    auth.name = ""
    with pytest.raises(NotFound):
        await directory.business(business_id)
    auth.name = "Abarrotes Lupita"

    assert (await directory.business(business_id)).id == business_id


async def test_membership_is_asked_every_time(auth: Auth, channel: grpc.aio.Channel, cache: Cache) -> None:
    directory = directory_of(channel, cache)
    user_id, business_id = new_id(), new_id()
    for _ in range(2):
        await directory.membership(user_id, business_id)
    assert auth.asked == 2


async def test_contacts_do_not_go_to_redis(auth: Auth, channel: grpc.aio.Channel, cache: Cache) -> None:
    business_id = new_id()
    directory = directory_of(channel, cache)
    await directory.business(business_id)

    assert (await directory.profile(business_id)).phone == "+525512345678"
    assert "+525512345678" not in str(await cache.get(f"directory:business:{business_id}"))


async def test_all_memberships_of_a_user_are_asked_for_once_in_a_while(
    channel: grpc.aio.Channel, cache: Cache, auth: Auth
) -> None:
    directory = Directory(directory_pb2_grpc.DirectoryStub(channel), cache)
    user = new_id()
    [membership] = await directory.memberships(user)
    assert (membership.business_id, membership.branch_ids) == (BUSINESS, frozenset({BRANCH}))
    await directory.memberships(user)
    assert auth.asked == 1


async def test_auth_that_is_away_is_not_asked_again_at_once(
    channel: grpc.aio.Channel, cache: Cache, auth: Auth
) -> None:
    directory = Directory(directory_pb2_grpc.DirectoryStub(channel), cache)
    auth.name, user = "", new_id()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await directory.memberships(user)
    assert auth.asked == 1


async def test_a_business_that_was_just_opened_is_among_all_at_once(
    auth: Auth, channel: grpc.aio.Channel, cache: Cache
) -> None:
    directory, user = directory_of(channel, cache), new_id()
    await directory.memberships(user)
    await directory.membership(user, new_id())
    asked = auth.asked

    await directory.memberships(user)

    assert auth.asked == asked + 1
