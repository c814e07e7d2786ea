"""Every encrypted value of this service can come under a new key, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.reencryption import reencrypt_there_and_back
from chassis.testing.tokens import make_principal
from kernel import new_id

pytestmark = pytest.mark.integration


async def test_what_providers_sent(webhooks: Any, conekta: Any) -> None:
    event_id = new_id().hex[:24]
    body = conekta.notification(event_id=event_id)
    headers = {"DIGEST": conekta.sign(body), "Content-Type": "application/json"}
    answer = await webhooks.client.post("/api/v1/webhooks/conekta", content=body, headers=headers)
    assert answer.status_code == 200, answer.text

    rewritten = await reencrypt_there_and_back(webhooks)

    assert rewritten["webhook_events"]
    admin = webhooks.as_(make_principal(role=Role.ADMIN))
    listed = (await webhooks.client.get("/api/v1/webhook-events", headers=admin)).json()["data"]
    found = next(item for item in listed if item["providerEventId"] == event_id)
    detail = (await webhooks.client.get(f"/api/v1/webhook-events/{found['id']}", headers=admin)).json()["data"]
    assert event_id in str(detail["payload"])


async def test_merchants_secrets_and_their_servers_answers(shop: Any) -> None:
    endpoint = await shop.endpoint()
    fresh = (await shop.call("POST", f"/{endpoint['id']}/rotate-secret")).json()["data"]
    await shop.happens()
    await shop.couriers_run()

    rewritten = await reencrypt_there_and_back(shop.service)

    assert rewritten["webhook_endpoints"] >= 2
    assert rewritten["webhook_attempts"]
    assert (await shop.delivery(endpoint))["attempts"][0]["answer"] == "thanks"
    await shop.happens()
    await shop.couriers_run()
    before, after = (request.headers["webhook-signature"] for request in shop.receiver.at(endpoint["path"]))
    assert len(before.split(" ")) == len(after.split(" ")) == 2
    assert fresh["secret"] != endpoint["secret"]
