import asyncio
from typing import Any

import pytest
from chassis.auth import Role
from chassis.testing.service import ServiceUnderTest
from chassis.testing.tokens import make_principal
from kernel import new_id
from sqlalchemy import text
from webhooks.endpoints.schemas import EVENT_TYPES
from webhooks.endpoints.service import MAX_ENDPOINTS

pytestmark = pytest.mark.integration


async def test_a_new_endpoint_and_its_secret_which_is_shown_once(shop: Any) -> None:
    body = shop.body(description="Contabilidad", events=["payment.confirmed", "sale.completed", "sale.completed"])

    answer = await shop.call("POST", json=body)

    made = answer.json()["data"]
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["payment.confirmed", "sale.completed"]
    assert (made["url"], made["description"], made["isActive"]) == (body["url"], "Contabilidad", True)
    assert (made["disabledReason"], made["failingSince"]) == (None, None)
    shown = await shop.get(f"/{made['id']}")
    listed = await shop.get(f"?businessId={shop.business_id}")
    assert shown == listed[0] == {name: value for name, value in made.items() if name != "secret"}


async def test_the_secret_is_not_readable_in_the_database(shop: Any) -> None:
    made = await shop.endpoint()
    rotated = (await shop.call("POST", f"/{made['id']}/rotate-secret")).json()["data"]

    async with shop.service.kit.database.read() as session:
        row = await session.execute(
            text("SELECT e::text AS row FROM webhook_endpoints e WHERE id = :id"), {"id": made["id"]}
        )
        stored = row.scalar_one()

    for secret in (made["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in stored


async def test_the_same_key_makes_one_endpoint(shop: Any) -> None:
    body, key = shop.body(), str(new_id())

    answers = [await shop.call("POST", key=key, json=body) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert len(await shop.get(f"?businessId={shop.business_id}")) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"events": []}, "events"),
        ({"events": ["webhook.received"]}, "events.0"),
        ({"events": ["payment.confirmed\x00"]}, "events.0"),
        ({"events": "payment.confirmed"}, "events"),
        ({"events": [*EVENT_TYPES, *EVENT_TYPES]}, "events"),
        ({"url": ""}, "url"),
        ({"url": 7}, "url"),
        ({"url": "https://e.com/" + "x" * 2000}, "url"),
        ({"description": "\x00"}, "description"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"businessId": "x"}, "businessId"),
    ],
)
async def test_what_makes_no_sense_is_400(shop: Any, fields: dict[str, Any], field: str) -> None:
    answer = await shop.call("POST", json=shop.body(**fields))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "https://user@example.com/",
            "https://0x7f.1",
        ),
        *("http://example.com/", "https://name-that-is-not.invalid/", "https://example.com:22/", "https://ho st/"),
    ],
)
async def test_where_we_do_not_send(shop: Any, url: str) -> None:
    made = await shop.endpoint()

    answers = [
        await shop.call("POST", json=shop.body(url=url)),
        await shop.call("PATCH", f"/{made['id']}", json={"url": url}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "webhook_url_refused")
        assert answer.json()["errors"][0]["field"] == "url"


async def test_there_is_a_limit_however_many_ask_at_once(shop: Any) -> None:
    answers = await asyncio.gather(*(shop.call("POST", json=shop.body()) for _ in range(MAX_ENDPOINTS + 4)))

    assert sorted(answer.status_code for answer in answers) == [201] * MAX_ENDPOINTS + [422] * 4
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"webhook_endpoint_limit"}
    made = answers[[answer.status_code for answer in answers].index(201)].json()["data"]
    assert (await shop.call("DELETE", f"/{made['id']}")).status_code == 204
    assert (await shop.call("POST", json=shop.body())).status_code == 201


async def test_changes(shop: Any) -> None:
    made = await shop.endpoint(description="Una")

    answer = await shop.call(
        "PATCH", f"/{made['id']}", json={"events": ["sale.created"], "description": None, "isActive": False}
    )

    changed = answer.json()["data"]
    assert answer.status_code == 200
    assert (changed["events"], changed["description"], changed["isActive"]) == (["sale.created"], None, False)
    assert changed["url"] == made["url"]
    assert changed["disabledAt"] is not None
    assert (await shop.call("PATCH", f"/{made['id']}", json={"isActive": None})).status_code == 400
    again = (await shop.call("PATCH", f"/{made['id']}", json={"isActive": True})).json()["data"]
    assert (again["isActive"], again["disabledAt"]) == (True, None)


async def test_deleted_is_gone(shop: Any) -> None:
    made = await shop.endpoint()

    assert (await shop.call("DELETE", f"/{made['id']}")).status_code == 204

    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/rotate-secret"), ("POST", "/test")]:
        answer = await shop.call(method, f"/{made['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_endpoint_not_found")


async def test_only_the_owner(shop: Any) -> None:
    made = await shop.endpoint()
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"?businessId={shop.business_id}", None),
        ("POST", "", shop.body()),
        ("GET", f"/{made['id']}", None),
        ("PATCH", f"/{made['id']}", {"isActive": False}),
        ("POST", f"/{made['id']}/rotate-secret", None),
        ("POST", f"/{made['id']}/test", None),
        ("POST", f"/{made['id']}/recover?since=2026-01-15T00:00:00Z", None),
        ("GET", f"/{made['id']}/deliveries", None),
        ("GET", f"/{made['id']}/deliveries/{new_id()}", None),
        ("POST", f"/{made['id']}/deliveries/{new_id()}/retry", None),
        ("DELETE", f"/{made['id']}", None),
    ]
    employee = make_principal(role=Role.EMPLOYEE, works_at=[(shop.business_id, [new_id()])])
    foreigner = make_principal(owns=[new_id()])

    for method, path, body in requests:
        asked = {"json": body} if body else {}
        assert (await shop.call(method, path, by=employee, **asked)).status_code == 403, path
        assert (await shop.call(method, path, by=foreigner, **asked)).status_code == 404, path
    assert (await shop.get(f"/{made['id']}"))["isActive"] is True
    assert (await shop.call("GET", by=employee)).json()["data"] == []


async def test_an_unknown_business_is_not_found_for_an_administrator_either(webhooks: ServiceUnderTest) -> None:
    body = {"businessId": str(new_id()), "url": "http://127.0.0.1:9/", "events": ["sale.created"]}

    answer = await webhooks.client.post(
        "/api/v1/webhook-endpoints", json=body, headers=webhooks.as_(make_principal(role=Role.ADMIN))
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "business_not_found")
