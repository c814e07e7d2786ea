"""What a provider sends is for the system and for administrators, what merchants are sent is for them alone: even where
the service forgets to ask."""

from collections.abc import Callable
from typing import Any

import pytest
from chassis.testing.barriers import unsecured
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from kernel import new_id
from webhooks.inbound import service

pytestmark = pytest.mark.integration

BASE = "/api/v1/webhook-events"


async def test_every_table_is_secured(webhooks: ServiceUnderTest) -> None:
    assert await unsecured(webhooks.owner_url or "", exempt={}) == []


async def test_row_level_security_alone(
    webhooks: ServiceUnderTest, conekta: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = conekta.notification(reference=new_id())
    stored = await webhooks.client.post("/webhooks/conekta", content=body, headers={"DIGEST": conekta.sign(body)})
    assert stored.status_code == 200
    monkeypatch.setattr(service, "_require_admin", lambda caller: None)
    headers = webhooks.as_(make_principal(owns=[new_id()]))
    assert (await webhooks.client.get(BASE, headers=headers)).json()["data"] == []
    async with webhooks.row_security_off():
        events = (await webhooks.client.get(BASE, headers=headers)).json()["data"]
    assert events
    for event in events[:1]:
        assert (await webhooks.client.get(f"{BASE}/{event['id']}", headers=headers)).status_code == 404
        assert (await webhooks.client.post(f"{BASE}/{event['id']}/replay", headers=headers)).status_code == 404


def attacks(victim: Any, endpoint: dict[str, Any], delivery: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Everything that names a thing of the victim's."""
    one = f"/{endpoint['id']}"
    return [
        ("GET", one, None),
        ("PATCH", one, {"isActive": False}),
        ("POST", f"{one}/rotate-secret", None),
        ("POST", f"{one}/test", None),
        ("POST", f"{one}/recover?since={delivery['createdAt']}", None),
        ("GET", f"{one}/deliveries", None),
        ("GET", f"{one}/deliveries/{delivery['id']}", None),
        ("POST", f"{one}/deliveries/{delivery['id']}/retry", None),
        ("DELETE", one, None),
    ]


async def test_endpoints_by_either_barrier_alone(open_shop: Callable[[], Any]) -> None:
    victim, thief = open_shop(), open_shop()
    endpoint = await victim.endpoint()
    await victim.happens()
    await victim.couriers_run()
    delivery = await victim.delivery(endpoint)
    own = await thief.endpoint()

    async def all_refused() -> None:
        for method, path, body in attacks(victim, endpoint, delivery):
            asked = {"json": body} if body else {}
            answer = await thief.call(method, path, **asked)
            assert answer.status_code == 404, (method, path, answer.text)
        foreign = f"/{own['id']}/deliveries/{delivery['id']}"
        assert (await thief.call("GET", foreign)).status_code == 404
        assert (await thief.call("POST", f"{foreign}/retry")).status_code == 404
        listed = await thief.call("GET", "?limit=100")
        assert [one["id"] for one in listed.json()["data"]] == [own["id"]]

    with victim.service.filters_off():
        await all_refused()
        made = await thief.call("POST", json=victim.body())
        assert made.status_code == 404, made.text
    async with victim.service.row_security_off():
        await all_refused()
        assert (await thief.call("POST", json=victim.body())).status_code == 404
    assert (await victim.get(f"/{endpoint['id']}"))["isActive"] is True
    assert len(victim.receiver.at(endpoint["path"])) == 1


async def test_an_event_goes_to_its_own_business_alone(open_shop: Callable[[], Any]) -> None:
    mine, other = open_shop(), open_shop()
    endpoint, foreign = await mine.endpoint(), await other.endpoint()
    await mine.happens()
    async with mine.service.row_security_off():
        await mine.happens()
    await mine.couriers_run()

    assert len(mine.receiver.at(endpoint["path"])) == 2
    assert mine.receiver.at(foreign["path"]) == []
