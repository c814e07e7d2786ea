"""What a provider sends is for the system and for administrators, even where the service forgets to ask."""

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
