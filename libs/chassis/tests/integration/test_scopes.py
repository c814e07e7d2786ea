"""Every edge of a service sets the scope of what comes in by it, and takes it back."""

import asyncio
from typing import Any
from uuid import UUID

import grpc
import pytest
from chassis import tenancy
from chassis.auth import BusinessRole, Membership, Role
from chassis.bus.received import Received
from chassis.database import Database
from chassis.rpc.client import call, open_channel
from chassis.rpc.identity import ServiceIdentity
from chassis.rpc.server import RpcServer, RpcService
from chassis.runtime.jobs import Job, run_forever
from chassis.telemetry import metrics
from chassis.tenancy import NOBODY, Tenancy, everyone, only
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.catalog.v1 import inventory_pb2, inventory_pb2_grpc
from contracts.events.auth import UserRegistered
from kernel import NotFound, SystemClock, new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

KEY = {"Idempotency-Key": "a-key-of-this-test-alone"}


async def open_account(database: Database, business_id: UUID) -> UUID:
    account = new_id()
    with only(business_id):
        async with database.transaction() as unit:
            await unit.session.execute(
                text("INSERT INTO accounts (id, business_id) VALUES (:id, :business)"),
                {"id": account, "business": business_id},
            )
    return account


def refusals() -> float:
    return float(metrics.row_security_refusals.labels("probe")._value.get())


async def test_a_bearer_sees_their_businesses_and_an_admin_all(probe: ServiceUnderTest) -> None:
    business = new_id()
    account = await open_account(probe.kit.database, business)
    for caller, status in (
        (make_principal(owns=[business]), 200),
        (make_principal(owns=[new_id()]), 404),
        (make_principal(), 404),
        (make_principal(role=Role.ADMIN), 200),
    ):
        answer = await probe.client.get(f"/accounts/{account}", headers=probe.as_(caller))
        assert answer.status_code == status, caller
    assert tenancy.current() == NOBODY


async def test_a_public_route_sees_nothing(probe: ServiceUnderTest) -> None:
    await open_account(probe.kit.database, new_id())
    with everyone():  # as if the task had served an administrator before
        answer = await probe.client.get("/public-accounts")
    assert answer.json()["data"] == 0


async def test_a_forgotten_check_writes_nothing_and_is_counted(probe: ServiceUnderTest) -> None:
    foreign, before = new_id(), refusals()
    caller = make_principal(owns=[new_id()])
    answer = await probe.client.post("/accounts", json={"businessId": str(foreign)}, headers=probe.as_(caller, **KEY))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert refusals() == before + 1
    owner = make_principal(owns=[foreign])
    answer = await probe.client.post("/accounts", json={"businessId": str(foreign)}, headers=probe.as_(owner, **KEY))
    assert answer.status_code == 201


async def test_a_stored_answer_is_its_callers_alone(probe: ServiceUnderTest) -> None:
    business = new_id()
    caller = make_principal(owns=[business])
    headers = probe.as_(caller, **{"Idempotency-Key": f"key-{new_id()}"})
    first = await probe.client.post("/accounts", json={"businessId": str(business)}, headers=headers)
    again = await probe.client.post("/accounts", json={"businessId": str(business)}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    query = text("SELECT count(*) FROM idempotency_keys WHERE key = :key")
    counts = []
    for scope in (Tenancy(caller.user_id), Tenancy(new_id(), frozenset({business})), Tenancy(everyone=True)):
        with tenancy.scope(scope):
            async with probe.kit.database.read() as session:
                counts.append((await session.execute(query, {"key": headers["Idempotency-Key"]})).scalar_one())
    assert counts == [1, 0, 1]


async def test_a_business_joined_after_the_token_was_issued(probe: ServiceUnderTest) -> None:
    old, joined = new_id(), new_id()
    accounts = {await open_account(probe.kit.database, business) for business in (old, joined)}
    caller = make_principal(owns=[old])
    headers = probe.as_(caller)

    async def listed() -> set[UUID]:
        answer = await probe.client.get("/accounts", headers=headers)
        return {UUID(item["id"]) for item in answer.json()["data"]}

    async def shown(account: UUID) -> int:
        return (await probe.client.get(f"/accounts/{account}", headers=headers)).status_code

    assert sorted([await shown(account) for account in accounts]) == [200, 404]
    assert len(await listed() & accounts) == 1  # auth cannot say: the token serves

    memberships = [Membership(business, BusinessRole.OWNER) for business in (old, joined)]
    probe.directory.join(caller.user_id, *memberships)
    for account in accounts:
        assert await shown(account) == 200
    assert await listed() >= accounts


async def test_each_barrier_holds_without_the_other(probe: ServiceUnderTest) -> None:
    account = await open_account(probe.kit.database, new_id())
    stranger = probe.as_(make_principal(owns=[new_id()]))

    async def look() -> tuple[int, bool]:
        shown = await probe.client.get(f"/accounts/{account}", headers=stranger)
        listed = await probe.client.get("/accounts", headers=stranger)
        return shown.status_code, str(account) in listed.text

    assert await look() == (404, False)
    with probe.filters_off():
        assert await look() == (404, False)
    async with probe.row_security_off():
        assert await look() == (404, False)
        with probe.filters_off():  # with both down there is nothing left, so each of the above was the other's doing
            assert await look() == (200, True)
    assert await look() == (404, False)


class Inventory(inventory_pb2_grpc.InventoryServicer):
    def __init__(self, database: Database) -> None:
        self.database = database
        self.account = new_id()
        self.seen: list[Tenancy] = []

    async def Commit(self, request: Any, context: Any) -> Any:
        """Forgets to compare businesses."""
        self.seen.append(tenancy.current())
        async with self.database.transaction() as unit:
            await unit.session.execute(
                text("INSERT INTO accounts (id, business_id) VALUES (:id, :business)"),
                {"id": new_id(), "business": self.account},
            )
        return inventory_pb2.Reservation()


async def test_a_call_has_the_scope_of_the_business_it_names(database: Database) -> None:
    servicer, secret = Inventory(database), "a-secret-of-at-least-32-characters"
    name = inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].full_name
    add = inventory_pb2_grpc.add_InventoryServicer_to_server
    server = RpcServer("catalog", [RpcService(name, add, servicer)], ServiceIdentity("catalog", secret))
    port = await server.start("127.0.0.1:0")
    channel: grpc.aio.Channel = open_channel("catalog", f"127.0.0.1:{port}", ServiceIdentity("sales", secret))
    stub = inventory_pb2_grpc.InventoryStub(channel)
    try:
        await call("catalog", stub.Commit(inventory_pb2.CommitRequest(business_id=str(servicer.account))))
        for named in (str(new_id()), "", "no uuid"):
            with pytest.raises(NotFound):
                await call("catalog", stub.Commit(inventory_pb2.CommitRequest(business_id=named)))
    finally:
        await channel.close()
        await server.stop(0)
    assert servicer.seen[0] == Tenancy(businesses=frozenset({servicer.account}))
    assert servicer.seen[2:] == [NOBODY, NOBODY]


async def test_a_job_sees_everyone(database: Database) -> None:
    seen, stopping = [], asyncio.Event()

    async def run() -> None:
        seen.append(tenancy.current())
        stopping.set()

    for exclusive in (True, False):
        stopping.clear()
        await run_forever(Job("scope", 60, run, exclusive=exclusive), database, "probe", stopping)
    assert seen == [Tenancy(everyone=True)] * 2
    assert tenancy.current() == NOBODY


def test_an_event_of_no_business_is_everyones() -> None:
    event = UserRegistered(aggregate_id=new_id(), aggregate_version=1, role="MERCHANT")
    received = Received(new_id(), "notifications.high", event, SystemClock().now())
    assert received.scope == Tenancy(everyone=True)
