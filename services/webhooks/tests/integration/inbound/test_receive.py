import asyncio
from typing import Any

import pytest
from chassis.testing.service import ServiceUnderTest
from contracts.events.webhooks import WebhookReceived
from kernel import new_id
from sqlalchemy import text

pytestmark = pytest.mark.integration

PATHS = ["/webhooks/conekta", "/api/v1/webhooks/conekta"]


async def post(service: ServiceUnderTest, body: bytes, digest: str | None, path: str = PATHS[0]) -> Any:
    headers = {"content-type": "application/json"} | ({"DIGEST": digest} if digest is not None else {})
    return await service.client.post(path, content=body, headers=headers)


async def published(service: ServiceUnderTest, event_id: str) -> list[WebhookReceived]:
    return [event for event in await service.published(WebhookReceived) if event.provider_event_id == event_id]


@pytest.mark.parametrize("path", PATHS)
async def test_a_signed_notification_is_stored_and_published(
    webhooks: ServiceUnderTest, conekta: Any, path: str
) -> None:
    event_id, payment = new_id().hex[:24], new_id()
    body = conekta.notification(event_id=event_id, reference=payment)

    answer = await post(webhooks, body, conekta.sign(body), path)

    assert (answer.status_code, answer.json()) == (200, {"received": True, "duplicate": False})
    [event] = await published(webhooks, event_id)
    assert (event.provider, event.event_type, event.provider_ref) == ("conekta", "order.paid", "ord_1")
    assert event.our_reference == str(payment)


async def test_a_duplicate_is_acknowledged_and_does_nothing(webhooks: ServiceUnderTest, conekta: Any) -> None:
    event_id = new_id().hex[:24]
    body = conekta.notification(event_id=event_id)

    answers = await asyncio.gather(*(post(webhooks, body, conekta.sign(body)) for _ in range(12)))

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["duplicate"] for answer in answers) == [False] + [True] * 11
    assert len(await published(webhooks, event_id)) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_forgeries_leave_no_trace(webhooks: ServiceUnderTest, conekta: Any, path: str) -> None:
    event_id = new_id().hex[:24]
    body = conekta.notification(event_id=event_id)
    good = conekta.sign(body)
    other = type(conekta)().sign(body)
    altered = body.replace(b"order.paid", b"order.paiD")

    for forged_body, digest in [
        (body, None),
        (body, ""),
        (body, "rubbish"),
        (body, other),
        (altered, good),
        (body + b" ", good),
    ]:
        answer = await post(webhooks, forged_body, digest, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")

    assert await published(webhooks, event_id) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": 1}', b"\xff\xff", b'{"id":"a","id":"b"}', b"[" * 50_000])
async def test_signed_rubbish_is_a_400(webhooks: ServiceUnderTest, conekta: Any, body: bytes) -> None:
    answer = await post(webhooks, body, conekta.sign(body))

    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_malformed")


@pytest.mark.parametrize(
    "fields", [{"event_id": "a\x00b"}, {"id": "ord_\x00"}, {"metadata": {"cobro_payment_id": "\x00"}}]
)
async def test_a_zero_byte_is_a_400(webhooks: ServiceUnderTest, conekta: Any, fields: dict[str, Any]) -> None:
    body = conekta.notification(**fields)

    answer = await post(webhooks, body, conekta.sign(body))

    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_malformed")


async def test_two_signatures_are_none(webhooks: ServiceUnderTest, conekta: Any) -> None:
    body = conekta.notification()
    headers = [("DIGEST", "forged"), ("DIGEST", conekta.sign(body))]

    answer = await webhooks.client.post(PATHS[0], content=body, headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("provider", ["stripe", "CONEKTA", "conekta%00", "..%2f", "x" * 500])
async def test_an_unknown_provider_is_a_404(webhooks: ServiceUnderTest, provider: str) -> None:
    answer = await webhooks.client.post(f"/webhooks/{provider}", content=b"{}")

    assert answer.status_code == 404


async def test_a_body_that_no_provider_sends(webhooks: ServiceUnderTest, conekta: Any) -> None:
    body = b" " * (300 * 1024)

    answer = await post(webhooks, body, conekta.sign(body))

    assert answer.status_code == 413


async def test_the_buyers_data_is_not_readable_in_the_database(webhooks: ServiceUnderTest, conekta: Any) -> None:
    event_id = new_id().hex[:24]
    body = conekta.notification(event_id=event_id, customer_info={"name": "Ana López", "email": "ana@example.com"})
    await post(webhooks, body, conekta.sign(body))

    async with webhooks.kit.database.read() as session:
        row = await session.execute(
            text("SELECT webhook_events::text AS row FROM webhook_events WHERE provider_event_id = :id"),
            {"id": event_id},
        )
        stored = row.scalar_one()
    assert "ana@example.com" not in stored
    assert "Ana" not in stored
