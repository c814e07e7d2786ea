"""What operators see: health, metrics, request ids from the gateway to the last service, and the documentation."""

from __future__ import annotations

import pytest
from kernel import new_id
from openapi_spec_validator import validate

from e2e.client import Client
from e2e.merchant import Merchant
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_every_service_is_alive_ready_and_measured(stage: Stage) -> None:
    for service in stage.services:
        async with Client(stage.suite.url(service)) as client:
            assert (await client.call("GET", "//health/live")).status == 200
            assert (await client.call("GET", "//health/ready")).status == 200
            metrics = await client.call("GET", "//metrics")
            assert metrics.status == 200
            assert b"cobro_" in metrics.content, service


async def test_the_gateway_tells_who_is_up(stage: Stage) -> None:
    health = (await stage.client.call("GET", "//health")).json
    assert health["status"] == "ok"
    assert set(health["services"].values()) == {"up"}
    assert set(health["services"]) == set(stage.services) - {"gateway"}


async def test_the_documents_of_all_services_are_one(stage: Stage) -> None:
    document = (await stage.client.call("GET", "//openapi.json")).json
    validate(document)
    segments = {path.split("/")[3] for path in document["paths"] if path.startswith("/api/v1/")}
    assert segments >= {"auth", "businesses", "products", "sales", "payments", "invoices", "notifications", "analytics"}
    docs = await stage.client.call("GET", "//docs")
    assert docs.status == 200
    assert b"http://" not in docs.content.replace(b"http://www.w3.org", b"")


async def test_one_request_id_from_the_gateway_to_the_last_service(stage: Stage, merchant: Merchant) -> None:
    product, request_id = await merchant.product(), f"e2e-{new_id().hex}"
    answer = await merchant.client.call(
        "POST", "/sales", body=merchant.basket(product), headers={"X-Request-Id": request_id}
    )
    answer.data(201)
    assert answer.headers["x-request-id"] == request_id

    async def seen_by() -> set[str]:
        return {service for service in stage.services if request_id in stage.suite.logs(service)}

    assert await until(seen_by, lambda found: found >= {"gateway", "sales"}) >= {"gateway", "sales"}


async def test_events_of_a_request_carry_its_trace(stage: Stage, merchant: Merchant) -> None:
    product, request_id = await merchant.product(), f"e2e-{new_id().hex}"
    headers = {"X-Request-Id": request_id}
    body = merchant.basket(product, method="CASH", tendered="500.00")
    sale = (await merchant.client.call("POST", "/sales", body=body, headers=headers)).data(201)
    [event] = await stage.rows(
        "SELECT headers::text FROM sales.outbox WHERE aggregate_id = $1::uuid AND type = 'sale.completed'", sale["id"]
    )
    assert "traceparent" in event["headers"]


async def test_only_the_gateways_neighbours_may_measure_it(stage: Stage) -> None:
    answer = await stage.client.call("GET", "//metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    answer.error(404)


@pytest.mark.parametrize("path", ["/auth/me", "/sales"])
async def test_security_headers_are_on_every_answer(merchant: Merchant, path: str) -> None:
    for client in (merchant.client, merchant.client.holding(None)):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers or "uvicorn" not in headers["server"]
