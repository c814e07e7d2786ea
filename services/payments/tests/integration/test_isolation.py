"""Either barrier between tenants holds without the other: the service's own filter, and row-level security."""

import pytest
from chassis.testing.barriers import unsecured
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_every_table_is_secured(sut):
    assert await unsecured(sut.owner_url, exempt={}) == []


async def reach(till, payment_id):
    """What a stranger gets of somebody else's payment, by every route."""
    stranger = make_principal(owns=[new_id()])
    reads = ["", "/timeline", "/qr.svg", "/qr.png", "/refunds", f"/refunds/{new_id()}"]
    statuses = {path: (await till.get(f"/{payment_id}{path}", by=stranger)).status_code for path in reads}
    for path, body in (("/cancel", {}), ("/refund", {"amount": "1.00"})):
        statuses[path] = (await till.post(f"/{payment_id}{path}", body, by=stranger)).status_code
    statuses["/intent"] = (await till.post("/intent", till.wish(), by=stranger)).status_code
    listed = await till.get(by=stranger, q=payment_id)
    statuses["list"] = 200 if listed.json()["data"] else 404
    return set(statuses.values()), statuses


@pytest.fixture
async def paid(till):
    return await till.paid()


async def test_the_filter_alone(till, paid):
    async with till.sut.row_security_off():
        found, statuses = await reach(till, paid["id"])
    assert found == {404}, statuses


async def test_row_level_security_alone(till, paid):
    before = await till.row(paid["id"])
    with till.sut.filters_off():
        found, statuses = await reach(till, paid["id"])
    assert found == {404}, statuses
    assert await till.row(paid["id"]) == before


async def test_with_both_down_nothing_holds(till, paid):
    async with till.sut.row_security_off():
        with till.sut.filters_off():
            _, statuses = await reach(till, paid["id"])
    assert statuses[""] == statuses["list"] == 200
    assert statuses["/refund"] == 201
