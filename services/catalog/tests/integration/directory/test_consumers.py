from dataclasses import replace

import pytest
from catalog.directory.consumers import CONSUMER
from chassis.bus.received import Received
from chassis.directory import Directory
from contracts.auth.v1 import directory_pb2
from contracts.events.auth import BranchUpdated, BusinessUpdated
from kernel import Country, new_id

pytestmark = pytest.mark.integration


class Auth:
    """Auth's Directory, whose names the test changes."""

    def __init__(self) -> None:
        self.name = "before"

    async def GetBusiness(self, request, timeout) -> directory_pb2.Business:
        return directory_pb2.Business(
            id=request.business_id,
            name=self.name,
            owner_id=str(new_id()),
            country="MX",
            currency="MXN",
            time_zone="America/Mexico_City",
            is_active=True,
        )

    async def GetBranch(self, request, timeout) -> directory_pb2.Branch:
        return directory_pb2.Branch(id=request.branch_id, business_id=request.business_id, name=self.name)


async def test_what_auth_changed_is_asked_for_again(sut) -> None:
    auth = Auth()
    directory = Directory(auth, sut.kit.cache)
    context = replace(sut.context, directory=directory)
    business, branch = new_id(), new_id()

    async def names() -> list[str]:
        return [(await directory.business(business)).name, (await directory.branch(business, branch)).name]

    async def deliver(event) -> None:
        received = Received(new_id(), CONSUMER.queue, event, sut.clock.now())
        await CONSUMER.handlers[type(event)](context, received)

    await names()
    auth.name = "after"

    assert await names() == ["before", "before"]
    await deliver(
        BranchUpdated(aggregate_id=branch, aggregate_version=2, business_id=business, name="x", is_active=True)
    )
    assert (await names())[1] == "after"
    await deliver(
        BusinessUpdated(
            aggregate_id=business,
            aggregate_version=2,
            business_id=business,
            owner_id=new_id(),
            country=Country.MX,
            currency=Country.MX.currency,
            time_zone=Country.MX.time_zone,
            is_active=True,
        )
    )
    assert await names() == ["after", "after"]
