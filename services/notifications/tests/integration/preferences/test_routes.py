from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal

pytestmark = pytest.mark.integration

URL = "/api/v1/notification-preferences"


def body(shop: Any, **changes: Any) -> dict[str, Any]:
    return {"businessId": str(shop.business.id), "language": "en", "channels": {"sms": False, "email": True}} | changes


async def test_spanish_by_every_channel_until_replaced(sut: ServiceUnderTest, shop: Any) -> None:
    headers, params = sut.as_(shop.owner), {"businessId": str(shop.business.id)}
    default = await sut.client.get(URL, params=params, headers=headers)
    assert default.json()["data"] == body(shop, language="es", channels={"sms": True, "email": True})

    replaced = await sut.client.put(URL, json=body(shop), headers=headers)
    await sut.client.put(URL, json=body(shop, language="pt"), headers=headers)

    assert replaced.json()["data"] == body(shop)
    assert (await sut.client.get(URL, params=params, headers=headers)).json()["data"] == body(shop, language="pt")


async def test_only_the_owner_replaces_them(sut: ServiceUnderTest, shop: Any, open_shop: Any) -> None:
    employee = sut.as_(make_principal(role=Role.EMPLOYEE, works_at=[(shop.business.id, [shop.branch.id])]))

    assert (await sut.client.put(URL, json=body(shop))).status_code == 401
    assert (await sut.client.put(URL, json=body(shop), headers=employee)).status_code == 403
    stranger = sut.as_(open_shop().owner)
    assert (await sut.client.put(URL, json=body(shop), headers=stranger)).status_code == 404
    answer = await sut.client.get(URL, params={"businessId": str(shop.business.id)}, headers=stranger)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"language": "fr"}, "language"),
        ({"language": "'; --"}, "language"),
        ({"channels": {"sms": True}}, "channels.email"),
        ({"channels": {"sms": "\x00", "email": True}}, "channels.sms"),
        ({"businessId": "💥"}, "businessId"),
        ({"fax": True}, "fax"),
    ],
)
async def test_what_is_wrong_is_named(sut: ServiceUnderTest, shop: Any, changes: dict[str, Any], field: str) -> None:
    answer = await sut.client.put(URL, json=body(shop, **changes), headers=sut.as_(shop.owner))

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
