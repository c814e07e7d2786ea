import json
from typing import Any

import pytest
from chassis.auth import Role
from chassis.database.migrations import check
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from contracts.events.webhooks import WebhookReceived
from kernel import new_id
from webhooks.app import MIGRATIONS

pytestmark = pytest.mark.integration

BASE = "/api/v1/webhook-events"


async def received(service: ServiceUnderTest, conekta: Any) -> tuple[str, str]:
    """A stored notification: our payment's id and the event's id."""
    payment = new_id()
    body = conekta.notification(reference=payment)
    await service.client.post("/webhooks/conekta", content=body, headers={"DIGEST": conekta.sign(body)})
    headers = service.as_(make_principal(role=Role.ADMIN))
    listed = await service.client.get(BASE, headers=headers, params={"transactionId": str(payment)})
    [event] = listed.json()["data"]
    return str(payment), event["id"]


@pytest.mark.parametrize("role", [Role.MERCHANT, Role.EMPLOYEE, Role.CUSTOMER])
async def test_only_administrators(webhooks: ServiceUnderTest, conekta: Any, role: Role) -> None:
    _, event_id = await received(webhooks, conekta)
    headers = webhooks.as_(make_principal(role=role, owns=[new_id()]))

    answers = [
        await webhooks.client.get(BASE, headers=headers),
        await webhooks.client.get(f"{BASE}/{event_id}", headers=headers),
        await webhooks.client.post(f"{BASE}/{event_id}/replay", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_an_event_with_its_payload_and_signature(webhooks: ServiceUnderTest, conekta: Any) -> None:
    payment, event_id = await received(webhooks, conekta)

    answer = await webhooks.client.get(f"{BASE}/{event_id}", headers=webhooks.as_(make_principal(role=Role.ADMIN)))

    event = answer.json()["data"]
    assert event["transactionId"] == payment
    assert event["processed"] is False
    # In the provider's words and of the provider's time, not of the event of ours that goes with it.
    assert event["eventType"] == "order.paid"
    assert event["occurredAt"].startswith("2026-01-15T18:00:00")
    assert json.loads(event["payload"])["type"] == "order.paid"
    assert event["signature"].keys() == {"digest"}


async def test_a_replay_is_published_with_a_newer_version(webhooks: ServiceUnderTest, conekta: Any) -> None:
    payment, event_id = await received(webhooks, conekta)
    headers = webhooks.as_(make_principal(role=Role.ADMIN), **{"Idempotency-Key": str(new_id())})

    answers = [await webhooks.client.post(f"{BASE}/{event_id}/replay", headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    events = [event for event in await webhooks.published(WebhookReceived) if event.our_reference == payment]
    assert [event.aggregate_version for event in events] == [1, 2]


async def test_missing_events_and_bad_ids(webhooks: ServiceUnderTest) -> None:
    headers = webhooks.as_(make_principal(role=Role.ADMIN))

    missing = await webhooks.client.get(f"{BASE}/{new_id()}", headers=headers)
    bad = await webhooks.client.get(f"{BASE}/1;DROP TABLE webhook_events", headers=headers)

    assert (missing.status_code, bad.status_code) == (404, 400)


@pytest.mark.parametrize(
    "params", [{"provider": "\x00"}, {"eventType": "'; --"}, {"transactionId": "x"}, {"limit": "0"}]
)
async def test_a_filter_that_makes_no_sense_is_400(webhooks: ServiceUnderTest, params: dict[str, str]) -> None:
    headers = webhooks.as_(make_principal(role=Role.ADMIN))

    assert (await webhooks.client.get(BASE, headers=headers, params=params)).status_code == 400


def test_the_models_say_what_the_migrations_do(webhooks: ServiceUnderTest) -> None:
    check(MIGRATIONS, webhooks.kit.settings.migration_database_url.get_secret_value())


async def test_events_are_found_by_the_providers_type(webhooks: ServiceUnderTest, conekta: Any) -> None:
    payment, event_id = await received(webhooks, conekta)
    headers = webhooks.as_(make_principal(role=Role.ADMIN))
    found = {}
    for kind in ("order.paid", "order.expired", "webhook.received"):
        params = {"transactionId": payment, "eventType": kind}
        found[kind] = [
            event["id"] for event in (await webhooks.client.get(BASE, headers=headers, params=params)).json()["data"]
        ]
    assert found == {"order.paid": [event_id], "order.expired": [], "webhook.received": []}
