"""Tenants are apart by two barriers, each of which holds by itself."""

from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.barriers import unsecured
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events.auth import MemberAdded
from kernel import new_id

pytestmark = pytest.mark.integration

LIST, PREFERENCES = "/api/v1/notifications", "/api/v1/notification-preferences"


@pytest.fixture
async def ours(sut: ServiceUnderTest, peers: Any, open_shop: Any, receipt: Any, phones: Any) -> Any:
    """A shop with a message and preferences of its own, and an employee who was told of it."""
    shop = open_shop()
    await sut.deliver("notifications.high", receipt(shop, peers.bought(phone=phones())))
    body = {"businessId": str(shop.business.id), "language": "pt", "channels": {"sms": False, "email": True}}
    assert (await sut.client.put(PREFERENCES, json=body, headers=sut.as_(shop.owner))).status_code == 200
    event = MemberAdded(
        aggregate_id=new_id(),
        aggregate_version=1,
        business_id=shop.business.id,
        user_id=peers.registered(phone=phones()),
        role="EMPLOYEE",
        branch_ids=(),
    )
    await sut.deliver("notifications.high", event)
    return shop


async def test_every_table_is_closed(sut: ServiceUnderTest) -> None:
    assert sut.owner_url is not None
    assert await unsecured(sut.owner_url, exempt={}) == []


async def _seen(sut: ServiceUnderTest, caller: Any, **params: str) -> list[tuple[str, str]]:
    answer = await sut.client.get(LIST, params={"limit": "100", **params}, headers=sut.as_(caller))
    assert answer.status_code == 200, answer.text
    return [(row["businessId"], row["template"]) for row in answer.json()["data"]]


async def test_row_security_alone_keeps_a_stranger_out(sut: ServiceUnderTest, ours: Any, open_shop: Any) -> None:
    stranger, id = open_shop().owner, str(ours.business.id)
    body = {"businessId": id, "language": "en", "channels": {"sms": True, "email": True}}
    with sut.filters_off():
        assert await _seen(sut, stranger) == []
        assert await _seen(sut, stranger, businessId=id) == []
        shown = await sut.client.get(PREFERENCES, params={"businessId": id}, headers=sut.as_(stranger))
        changed = await sut.client.put(PREFERENCES, json=body, headers=sut.as_(stranger))
        assert await _seen(sut, ours.owner) == [(id, "receipt")]

    assert shown.json()["data"]["language"] == "es"  # what a business without preferences has
    assert changed.status_code == 404
    kept = await sut.client.get(PREFERENCES, params={"businessId": id}, headers=sut.as_(ours.owner))
    assert kept.json()["data"]["language"] == "pt"


async def test_the_filter_alone_keeps_a_stranger_out(sut: ServiceUnderTest, ours: Any, open_shop: Any) -> None:
    stranger, id = open_shop().owner, str(ours.business.id)
    body = {"businessId": id, "language": "en", "channels": {"sms": True, "email": True}}
    headers = sut.as_(stranger)
    async with sut.row_security_off():
        assert await _seen(sut, stranger) == []
        assert await _seen(sut, ours.owner) == [(id, "receipt")]
        for answer in (
            await sut.client.get(LIST, params={"businessId": id}, headers=headers),
            await sut.client.get(PREFERENCES, params={"businessId": id}, headers=headers),
            await sut.client.put(PREFERENCES, json=body, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "business_not_found")


async def test_a_business_opened_after_the_token_is_in_the_list(sut: ServiceUnderTest, ours: Any) -> None:
    """And one in which the caller is merely employed is not."""
    user_id = new_id()
    owner = make_principal(user_id=user_id, owns=[ours.business.id])
    stale = make_principal(user_id=user_id)
    sut.directory.members[user_id] = dict(owner.memberships)
    assert await _seen(sut, stale) == [(str(ours.business.id), "receipt")]

    employee = make_principal(role=Role.EMPLOYEE, works_at=[(ours.business.id, [ours.branch.id])])
    sut.directory.members[employee.user_id] = dict(employee.memberships)
    assert await _seen(sut, employee) == []


async def test_an_administrator_sees_every_business(sut: ServiceUnderTest, ours: Any) -> None:
    seen = await _seen(sut, make_principal(role=Role.ADMIN))

    assert (str(ours.business.id), "receipt") in seen
    assert "member_added" not in {template for _, template in seen}
