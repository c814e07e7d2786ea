"""A provider that signs what stands in the query and in headers, and not the body."""

import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events.webhooks import WebhookReceived
from kernel import new_id

pytestmark = pytest.mark.integration

TS = "1742505638683"


async def post(service: ServiceUnderTest, order_id: str, *, signed_id: str | None = None, **body: Any) -> Any:
    request_id = str(uuid4())
    manifest = f"id:{signed_id or order_id};request-id:{request_id};ts:{TS};"
    v1 = hmac.new(b"secret_test", manifest.encode(), hashlib.sha256).hexdigest()
    content = {"type": "order", "action": "order.processed", "data": {"id": order_id}, **body}
    return await service.client.post(
        "/webhooks/mercadopago",
        params={"data.id": order_id, "type": "order"},
        content=json.dumps(content).encode(),
        headers={"x-signature": f"ts={TS},v1={v1}", "x-request-id": request_id},
    )


async def test_it_is_verified_stored_and_published_with_its_evidence(webhooks: ServiceUnderTest) -> None:
    order_id, payment = f"ORD{new_id().hex.upper()}", str(new_id())
    answer = await post(webhooks, order_id, data={"id": order_id, "external_reference": payment})
    assert (answer.status_code, answer.json()) == (200, {"received": True, "duplicate": False})
    [event] = [event for event in await webhooks.published(WebhookReceived) if event.provider_ref == order_id]
    assert (event.provider, event.event_type, event.our_reference) == ("mercadopago", "order.processed", payment)

    admin = webhooks.as_(make_principal(role=Role.ADMIN))
    shown = await webhooks.client.get(f"/api/v1/webhook-events/{event.webhook_event_id}", headers=admin)
    signature = {name.lower(): value for name, value in shown.json()["data"]["signature"].items()}
    assert set(signature) == {"x-signature", "x-request-id", "data.id"}
    assert signature["data.id"] == order_id


async def test_another_order_than_the_signed_one_leaves_no_trace(webhooks: ServiceUnderTest) -> None:
    order_id = f"ORD{new_id().hex.upper()}"
    assert (await post(webhooks, order_id, signed_id="ORD1")).status_code == 401
    assert (await post(webhooks, order_id, data={"id": "ORD1"})).status_code == 400
    assert not [event for event in await webhooks.published(WebhookReceived) if event.provider_ref == order_id]
