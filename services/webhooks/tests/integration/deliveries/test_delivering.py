import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from contracts.events.webhooks import WebhookEndpointDisabled
from kernel import new_id
from standardwebhooks import Webhook
from webhooks.deliveries.courier import LEASE
from webhooks.deliveries.schedule import JITTER, SCHEDULE

pytestmark = pytest.mark.integration


def pass_time(shop: Any, by: timedelta) -> None:
    shop.service.clock.advance(by * (1 + JITTER))


def signed_by(secret: str, request: Any) -> str:
    """What the specification's own library would have put there."""
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(request.headers["webhook-id"], at, request.body.decode())


async def test_an_event_arrives_signed(shop: Any) -> None:
    endpoint = await shop.endpoint()
    other = await shop.endpoint(events=["sale.created"])

    event_id = await shop.happens()
    await shop.couriers_run()

    [request] = shop.receiver.at(endpoint["path"])
    body = json.loads(request.body)
    assert body["id"] == request.headers["webhook-id"] == str(event_id)
    assert (body["type"], body["sequence"], body["data"]["status"]) == ("payment.confirmed", 2, "CONFIRMED")
    assert body["data"]["amount"] == {"amount": "301.00", "currency": "MXN"}
    assert request.headers["webhook-signature"] == signed_by(endpoint["secret"], request)
    assert request.headers["Content-Type"] == "application/json"
    delivery = await shop.delivery(endpoint)
    assert (delivery["status"], delivery["tries"], delivery["payload"]) == ("DELIVERED", 1, body)
    [attempt] = delivery["attempts"]
    assert (attempt["statusCode"], attempt["outcome"], attempt["answer"]) == (200, "delivered", "thanks")
    assert await shop.deliveries(other) == []


async def test_an_event_that_comes_twice_is_delivered_once(shop: Any) -> None:
    endpoint = await shop.endpoint()

    event_id = await shop.happens()
    await shop.happens(id=event_id)
    await shop.couriers_run()

    assert len(shop.receiver.at(endpoint["path"])) == 1


async def test_what_fails_is_tried_again_as_the_same_message(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 500, "boom")
    await shop.happens()

    await shop.couriers_run()
    await shop.couriers_run()
    assert len(shop.receiver.at(endpoint["path"])) == 1
    del shop.receiver.answers[endpoint["path"]]
    pass_time(shop, SCHEDULE[1])
    await shop.couriers_run()

    first, second = shop.receiver.at(endpoint["path"])
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    delivery = await shop.delivery(endpoint)
    assert delivery["status"] == "DELIVERED"
    tries = [(one["number"], one["statusCode"], one["answer"]) for one in delivery["attempts"]]
    assert tries == [(1, 500, "boom"), (2, 200, "thanks")]
    assert (await shop.get(f"/{endpoint['id']}"))["failingSince"] is None


async def test_a_failure_does_not_hold_up_what_comes_after(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 503)
    await shop.happens()
    await shop.couriers_run()
    del shop.receiver.answers[endpoint["path"]]

    await shop.happens()
    await shop.couriers_run()

    assert [one["status"] for one in await shop.deliveries(endpoint)] == ["DELIVERED", "PENDING"]


async def test_after_the_last_try_it_has_failed_until_it_is_recovered(shop: Any) -> None:
    endpoint = await shop.endpoint()
    since = shop.service.clock.now()
    shop.receiver.says(endpoint["path"], 500)
    await shop.happens()
    for wait in (*SCHEDULE, timedelta(days=1)):
        pass_time(shop, wait)
        await shop.couriers_run()

    delivery = await shop.delivery(endpoint)
    assert (delivery["status"], delivery["tries"], delivery["nextAttemptAt"]) == ("FAILED", len(SCHEDULE), None)

    del shop.receiver.answers[endpoint["path"]]
    path = f"/{endpoint['id']}/recover"
    late = await shop.call("POST", path, params={"since": shop.service.clock.now().isoformat()})
    answer = await shop.call("POST", path, params={"since": since.isoformat()})
    await shop.couriers_run()

    assert late.json()["data"] == {"recovered": 0, "more": False}
    assert (answer.status_code, answer.json()["data"]) == (202, {"recovered": 1, "more": False})
    delivery = await shop.delivery(endpoint)
    assert (delivery["status"], delivery["tries"]) == ("DELIVERED", len(SCHEDULE) + 1)


@pytest.mark.parametrize(
    "since", ["yesterday", "", "2026-01-15T00:00:00", "2001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
async def test_recovering_since_nonsense(shop: Any, since: str) -> None:
    endpoint = await shop.endpoint()

    answer = await shop.call("POST", f"/{endpoint['id']}/recover", params={"since": since})

    assert answer.status_code == 400


async def test_retry_after_is_honoured(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 429, retry_after="600")
    await shop.happens()
    await shop.couriers_run()

    pass_time(shop, timedelta(minutes=8))
    await shop.couriers_run()
    assert len(shop.receiver.at(endpoint["path"])) == 1
    pass_time(shop, timedelta(minutes=2))
    await shop.couriers_run()
    assert len(shop.receiver.at(endpoint["path"])) == 2


async def test_gone_switches_off_at_once_and_says_so(shop: Any) -> None:
    endpoint = await shop.endpoint()
    told = await shop.endpoint(events=["webhook_endpoint.disabled"])
    shop.receiver.says(endpoint["path"], 410)
    await shop.happens()
    await shop.couriers_run()

    shown = await shop.get(f"/{endpoint['id']}")
    assert (shown["isActive"], shown["disabledReason"]) == (False, "gone")
    [event] = await shop.service.published(WebhookEndpointDisabled, aggregate_id=endpoint["id"])
    assert (event.business_id, event.host, event.reason) == (shop.business_id, "127.0.0.1", "gone")
    await shop.happens(event)
    await shop.happens()
    await shop.couriers_run()
    assert len(shop.receiver.at(endpoint["path"])) == 1
    assert len(shop.receiver.at(told["path"])) == 1
    assert [one["status"] for one in await shop.deliveries(endpoint)] == ["SKIPPED", "SKIPPED"]

    for path in ("test", "recover?since=2026-01-15T00:00:00Z", f"deliveries/{new_id()}/retry"):
        answer = await shop.call("POST", f"/{endpoint['id']}/{path}")
        expected = {"webhook_endpoint_disabled", "validation_failed"}
        assert answer.status_code in (400, 409)
        assert answer.json()["code"] in expected

    del shop.receiver.answers[endpoint["path"]]
    since = (shop.service.clock.now() - timedelta(hours=1)).isoformat()
    await shop.call("PATCH", f"/{endpoint['id']}", json={"isActive": True})
    await shop.call("POST", f"/{endpoint['id']}/recover", params={"since": since})
    await shop.couriers_run()
    assert [one["status"] for one in await shop.deliveries(endpoint)] == ["DELIVERED", "DELIVERED"]


async def test_five_days_of_nothing_but_failures_switch_off(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 500)
    for _ in range(5):
        await shop.happens()
        await shop.couriers_run()
        shop.service.clock.advance(timedelta(days=1))
        assert (await shop.get(f"/{endpoint['id']}"))["isActive"] is True

    await shop.happens()
    await shop.couriers_run()

    shown = await shop.get(f"/{endpoint['id']}")
    assert (shown["isActive"], shown["disabledReason"]) == (False, "failing")
    assert {one["status"] for one in await shop.deliveries(endpoint)} == {"SKIPPED"}
    assert len(await shop.service.published(WebhookEndpointDisabled, aggregate_id=endpoint["id"])) == 1


async def test_one_success_in_between_and_it_stays_on(shop: Any) -> None:
    endpoint = await shop.endpoint()
    for status in (500, 500, 200, 500, 500):
        shop.receiver.says(endpoint["path"], status)
        await shop.happens()
        await shop.couriers_run()
        shop.service.clock.advance(timedelta(days=2))

    assert (await shop.get(f"/{endpoint['id']}"))["isActive"] is True


async def test_redirects_are_not_followed(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 302, Location="/inside")
    await shop.happens()
    await shop.couriers_run()

    assert shop.receiver.at("/inside") == []
    assert (await shop.delivery(endpoint))["lastOutcome"] == "redirected"


async def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(shop: Any) -> None:
    endpoint = await shop.endpoint()
    fresh = (await shop.call("POST", f"/{endpoint['id']}/rotate-secret")).json()["data"]
    assert fresh["secret"] != endpoint["secret"]
    await shop.happens()
    await shop.couriers_run()
    shop.service.clock.advance(timedelta(hours=24))
    await shop.happens()
    await shop.couriers_run()

    during, after = shop.receiver.at(endpoint["path"])
    both = f"{signed_by(fresh['secret'], during)} {signed_by(endpoint['secret'], during)}"
    assert during.headers["webhook-signature"] == both
    assert after.headers["webhook-signature"] == signed_by(fresh["secret"], after)


async def test_a_test_event_and_a_retry_by_hand(shop: Any) -> None:
    endpoint = await shop.endpoint(events=["sale.created"])

    answer = await shop.call("POST", f"/{endpoint['id']}/test", key=(key := str(new_id())))
    again = await shop.call("POST", f"/{endpoint['id']}/test", key=key)
    await shop.couriers_run()

    assert answer.status_code == 202
    assert again.json() == answer.json()
    [request] = shop.receiver.at(endpoint["path"])
    assert json.loads(request.body)["type"] == "webhook_endpoint.test"
    path = f"/{endpoint['id']}/deliveries/{answer.json()['data']['id']}/retry"
    retried = await shop.call("POST", path)
    await shop.couriers_run()
    assert (retried.status_code, retried.json()["data"]["status"]) == (202, "PENDING")
    delivery = await shop.delivery(endpoint)
    assert (delivery["status"], delivery["tries"], len(delivery["attempts"])) == ("DELIVERED", 2, 2)


async def test_who_dies_in_the_middle_of_a_try_leaves_it_to_others(shop: Any) -> None:
    endpoint = await shop.endpoint()
    arrived, over, courier = asyncio.Event(), asyncio.Event(), shop.service.context.couriers[0]

    async def hang(request: web.Request) -> web.Response:
        arrived.set()
        await over.wait()
        return web.Response()

    shop.receiver.answers[endpoint["path"]] = hang
    await shop.happens()
    dying = asyncio.create_task(courier.deliver_due())
    await asyncio.wait_for(arrived.wait(), 5)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    del shop.receiver.answers[endpoint["path"]]

    await shop.couriers_run()
    assert len(shop.receiver.at(endpoint["path"])) == 1
    shop.service.clock.advance(LEASE)
    await shop.couriers_run()

    first, second = shop.receiver.at(endpoint["path"])
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await shop.delivery(endpoint))["status"] == "DELIVERED"
    over.set()


async def test_who_comes_back_after_their_lease_changes_nothing(shop: Any) -> None:
    endpoint = await shop.endpoint()
    arrived, go_on, courier = asyncio.Event(), asyncio.Event(), shop.service.context.couriers[0]

    async def fail_late(request: web.Request) -> web.Response:
        arrived.set()
        await go_on.wait()
        return web.Response(status=410)

    shop.receiver.answers[endpoint["path"]] = fail_late
    await shop.happens()
    slow = asyncio.create_task(courier.deliver_due())
    await asyncio.wait_for(arrived.wait(), 5)
    del shop.receiver.answers[endpoint["path"]]
    shop.service.clock.advance(LEASE)
    await shop.couriers_run()
    go_on.set()
    await slow

    delivery = await shop.delivery(endpoint)
    assert (delivery["status"], delivery["tries"]) == ("DELIVERED", 1)
    assert (await shop.get(f"/{endpoint['id']}"))["isActive"] is True


async def test_deleted_while_a_try_is_under_way(shop: Any) -> None:
    endpoint = await shop.endpoint()
    arrived, go_on, courier = asyncio.Event(), asyncio.Event(), shop.service.context.couriers[0]

    async def fail(request: web.Request) -> web.Response:
        arrived.set()
        await go_on.wait()
        return web.Response(status=500)

    shop.receiver.answers[endpoint["path"]] = fail
    await shop.happens()
    trying = asyncio.create_task(courier.deliver_due())
    await asyncio.wait_for(arrived.wait(), 5)
    assert (await shop.call("DELETE", f"/{endpoint['id']}")).status_code == 204
    go_on.set()
    await trying
    pass_time(shop, timedelta(days=2))
    await shop.couriers_run()

    assert len(shop.receiver.at(endpoint["path"])) == 1


async def test_the_beginning_of_an_answer_is_kept(shop: Any) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.says(endpoint["path"], 200, "ñ" * 100_000)
    await shop.happens()
    await shop.couriers_run()

    [attempt] = (await shop.delivery(endpoint))["attempts"]
    assert attempt["answer"] == "ñ" * 1024


async def test_what_is_kept_is_kept_for_thirty_days(shop: Any) -> None:
    endpoint = await shop.endpoint()
    await shop.happens()
    await shop.couriers_run()
    sweep = next(job for job in shop.service.service.jobs if job.name == "deliveries-retention")

    shop.service.clock.advance(timedelta(days=29))
    await sweep.run()
    assert len(await shop.deliveries(endpoint)) == 1
    shop.service.clock.advance(timedelta(days=2))
    await sweep.run()
    assert await shop.deliveries(endpoint) == []


async def test_lists_by_status_and_type(shop: Any) -> None:
    endpoint = await shop.endpoint()
    await shop.happens()
    await shop.couriers_run()
    await shop.happens()

    async def found(query: str) -> int:
        return len(await shop.get(f"/{endpoint['id']}/deliveries?{query}"))

    assert await found("status=PENDING") == await found("status=DELIVERED") == 1
    assert await found("eventType=payment.confirmed") == 2
    assert await found("eventType=sale.created") == 0
    page = (await shop.call("GET", f"/{endpoint['id']}/deliveries?limit=1")).json()
    assert (page["meta"]["total"], len(page["data"])) == (2, 1)
    assert await found(f"limit=5&cursor={page['meta']['nextCursor']}") == 1
    assert (await shop.call("GET", f"/{endpoint['id']}/deliveries?status=x")).status_code == 400
