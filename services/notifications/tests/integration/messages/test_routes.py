from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration

URL = "/api/v1/notifications"


async def test_lists_are_filtered_and_paged(
    sut: ServiceUnderTest, peers: Any, shop: Any, receipt: Any, phones: Any, send_all: Any, listed: Any
) -> None:
    for _ in range(3):
        await sut.deliver("notifications.high", receipt(shop, peers.bought(phone=phones(), email="ana@example.com")))
    await send_all()
    await sut.deliver("notifications.high", receipt(shop, peers.bought(phone=phones())))

    assert len(await listed(shop)) == 7
    assert len(await listed(shop, channel="EMAIL")) == 3
    (waiting,) = await listed(shop, status="PENDING")
    assert (waiting["sentAt"], waiting["provider"], waiting["providerAnswer"]) == (None, None, None)
    headers = sut.as_(shop.owner)
    first = (await sut.client.get(URL, params={"limit": 5}, headers=headers)).json()
    rest = (await sut.client.get(URL, params={"cursor": first["meta"]["nextCursor"]}, headers=headers)).json()
    assert len({row["id"] for row in [*first["data"], *rest["data"]]}) == 7


async def test_nobody_sees_anothers_messages(
    sut: ServiceUnderTest, peers: Any, open_shop: Any, receipt: Any, phones: Any
) -> None:
    shop = open_shop()
    await sut.deliver("notifications.high", receipt(shop, peers.bought(phone=phones())))
    params = {"businessId": str(shop.business.id)}
    stranger = sut.as_(open_shop().owner)
    employee = sut.as_(make_principal(role=Role.EMPLOYEE, works_at=[(shop.business.id, [shop.branch.id])]))

    assert (await sut.client.get(URL)).status_code == 401
    foreign = await sut.client.get(URL, params=params, headers=stranger)
    absent = await sut.client.get(URL, params={"businessId": str(new_id())}, headers=stranger)
    assert foreign.status_code == absent.status_code == 404
    assert {**foreign.json(), "requestId": ""} == {**absent.json(), "requestId": ""}
    assert (await sut.client.get(URL, headers=stranger)).json()["data"] == []
    assert (await sut.client.get(URL, params=params, headers=employee)).status_code == 403
    assert (await sut.client.get(URL, headers=employee)).json()["data"] == []


HOSTILE = ["'; DROP TABLE notifications; --", "<script>alert(1)</script>", "\x00", "💥", "x" * 10_000]


@pytest.mark.parametrize("text", HOSTILE, ids=["sql", "html", "nul", "emoji", "long"])
async def test_hostile_input_is_a_clear_400(sut: ServiceUnderTest, shop: Any, text: str) -> None:
    for name in ("businessId", "channel", "status", "cursor", "limit"):
        answer = await sut.client.get(URL, params={name: text}, headers=sut.as_(shop.owner))
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed"), name
