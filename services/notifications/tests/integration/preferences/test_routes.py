from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal

pytestmark = pytest.mark.integration

URL = "/api/v1/notification-preferences"


_PLAIN = {"quietHours": None, "branding": None}


def body(shop: Any, **changes: Any) -> dict[str, Any]:
    return {
        "businessId": str(shop.business.id),
        "language": "en",
        "channels": {"sms": False, "email": True, "push": True},
        **_PLAIN,
    } | changes


async def test_spanish_by_every_channel_until_replaced(sut: ServiceUnderTest, shop: Any) -> None:
    headers, params = sut.as_(shop.owner), {"businessId": str(shop.business.id)}
    default = await sut.client.get(URL, params=params, headers=headers)
    assert default.json()["data"] == body(shop, language="es", channels={"sms": True, "email": True, "push": True})

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
        ({"quietHours": {"from": "25:00", "until": "08:00"}}, "quietHours.from"),
        ({"quietHours": {"from": "22:00"}}, "quietHours.until"),
        ({"quietHours": {"from": "٢٢:00", "until": "08:00"}}, "quietHours.from"),
        ({"branding": {"color": "red"}}, "branding.color"),
        ({"branding": {"color": "#12345\x00"}}, "branding.color"),
        ({"branding": {"logoUrl": "http://example.com/l.png"}}, "branding.logoUrl"),
        ({"branding": {"logoUrl": "https://[/l.png"}}, "branding.logoUrl"),
        ({"branding": {"logoUrl": "https://user@example.com/l.png"}}, "branding.logoUrl"),
    ],
)
async def test_what_is_wrong_is_named(sut: ServiceUnderTest, shop: Any, changes: dict[str, Any], field: str) -> None:
    answer = await sut.client.put(URL, json=body(shop, **changes), headers=sut.as_(shop.owner))

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_quiet_hours_and_look_are_kept(sut: ServiceUnderTest, shop: Any) -> None:
    own = {"quietHours": {"from": "22:00", "until": "08:00"}, "branding": {"color": "#FFD60A", "logoUrl": None}}
    headers = sut.as_(shop.owner)

    replaced = await sut.client.put(URL, json=body(shop, **own), headers=headers)

    expected = body(shop, **own) | {"branding": {"color": "#ffd60a", "logoUrl": None}}
    assert replaced.json()["data"] == expected
    shown = await sut.client.get(URL, params={"businessId": str(shop.business.id)}, headers=headers)
    assert shown.json()["data"] == expected


ME = f"{URL}/me"


async def test_what_a_user_mutes_is_theirs_alone(sut: ServiceUnderTest, shop: Any) -> None:
    own = {
        "muted": [{"eventClass": "STOCK", "channel": "PUSH"}],
        "quietHours": {"from": "21:00", "until": "07:30", "timeZone": "America/Bogota"},
    }

    assert (await sut.client.put(ME, json=own, headers=sut.as_(shop.owner))).json()["data"] == own
    assert (await sut.client.get(ME, headers=sut.as_(shop.owner))).json()["data"] == own
    other = sut.as_(make_principal())
    assert (await sut.client.get(ME, headers=other)).json()["data"] == {"muted": [], "quietHours": None}
    assert (await sut.client.get(ME)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"muted": [{"eventClass": "SECURITY", "channel": "SMS"}]},
        {"muted": [{"eventClass": "STOCK", "channel": "FAX"}]},
        {"muted": [{"eventClass": "STOCK", "channel": "SMS"}] * 50},
        {"quietHours": {"from": "21:00", "until": "21:00", "timeZone": "America/Bogota"}},
        {"quietHours": {"from": "21:00", "until": "22:00", "timeZone": "../../etc/passwd"}},
        {"quietHours": {"from": "21:00", "until": "22:00", "timeZone": "\x00"}},
        {"quietHours": {"from": 2**70, "until": "22:00", "timeZone": "UTC"}},
    ],
    ids=["safety", "channel", "many", "empty", "path", "nul", "huge"],
)
async def test_what_a_user_may_not_say(sut: ServiceUnderTest, shop: Any, wrong: dict[str, Any]) -> None:
    answer = await sut.client.put(ME, json=wrong, headers=sut.as_(shop.owner))

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
