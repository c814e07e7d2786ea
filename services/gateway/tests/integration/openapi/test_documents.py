"""The merged document and its page, and what the gateway tells about the suite."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

import orjson
import pytest
from chassis.http.app import Caller, create_app
from chassis.http.schemas import Data, RequestModel, ResponseModel
from fastapi import APIRouter
from openapi_spec_validator import OpenAPIV31SpecValidator

pytestmark = pytest.mark.integration


class Thing(ResponseModel):
    id: str


class NewThing(RequestModel):
    name: str


def service_document(path: str, tag: str) -> dict[str, Any]:
    """What a real service of the chassis publishes."""
    router = APIRouter(prefix=path, tags=[tag])

    @router.get("")
    async def list_things(caller: Caller) -> Data[list[Thing]]:
        raise NotImplementedError

    @router.post("", status_code=201)
    async def create(caller: Caller, thing: NewThing) -> Data[Thing]:
        raise NotImplementedError

    return create_app(tag, context=None, verifier=None, routers=[router], checks={}).openapi()


async def test_the_merged_document_is_valid_and_complete(gateway: Any) -> None:
    paths = {"sales": "/api/v1/sales", "catalog": "/api/v1/products"}
    sales, catalog = (service_document(path, tag) for tag, path in paths.items())
    # One small server stands for all services, so that each answers with the paths of both: their owners keep them.
    body = orjson.dumps(sales | {"paths": sales["paths"] | catalog["paths"]})

    served = 0

    async def openapi(scope: Any, receive: Any, send: Any) -> None:
        nonlocal served
        served += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    gateway.services.on("/openapi.json", openapi)
    async with asyncio.timeout(30):
        # A document that an earlier test asked for is given out until it has grown old.
        while not served or len((answer := await gateway.client.get("/openapi.json")).json()["paths"]) < 2:
            await gateway.client.get("/openapi.json")
            await asyncio.sleep(0.2)
    assert answer.status_code == 200
    document = answer.json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/health", *paths.values()}
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert set(document["components"]["securitySchemes"]) == {"bearer"}
    # The chassis and the gateway describe the error form alike.
    assert not [
        name for name in document["components"]["schemas"] if name.endswith("ErrorBody") and name != "ErrorBody"
    ]

    again = await gateway.client.get("/openapi.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert served % 8 == 0


async def test_services_that_are_down_are_left_out(start_gateway: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with start_gateway(SALES_HTTP_URL=f"http://127.0.0.1:{port}") as gateway:
        document = (await gateway.client.get("/openapi.json")).json()
        OpenAPIV31SpecValidator(document).validate()
        assert set(document["paths"]) == {"/health"}  # the echo is no OpenAPI document either
        health = (await gateway.client.get("/health")).json()
        assert health["status"] == "degraded"
        assert (health["services"]["sales"], health["services"]["auth"]) == ("down", "up")


async def test_the_page_works_without_the_internet(gateway: Any) -> None:
    page = await gateway.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(references) >= 4
    for reference in references:
        assert reference.startswith("/")
        asset = await gateway.client.get(reference)
        assert asset.status_code == 200, reference
        assert len(asset.content) > 100
    bundle = await gateway.client.get("/docs/swagger-ui-bundle.js")
    assert bundle.headers["content-type"].startswith("text/javascript")
    assert b"SwaggerUIBundle" in bundle.content
    assert (await gateway.client.get("/docs/../settings.py")).status_code in {400, 404}
    assert (await gateway.client.get("/docs/swagger-ui-es-bundle.js")).status_code == 404


async def test_health_and_metrics(gateway: Any) -> None:
    assert (await gateway.client.get("/health/live")).json() == {"status": "ok", "service": "gateway"}
    assert (await gateway.client.get("/health/ready")).json()["checks"] == {"accepting": True, "redis": True}
    before = gateway.services.count("/health/ready")
    answers = await asyncio.gather(*(gateway.client.get("/health") for _ in range(10)))
    assert {answer.json()["status"] for answer in answers} == {"ok"}
    assert gateway.services.count("/health/ready") - before in {0, 8}  # 0: another test has just asked
    metrics = await gateway.client.get("/metrics")
    assert "cobro_http_request_seconds_count" in metrics.text
    assert "cobro_gateway_admissions_total" in metrics.text
    # Asked through a proxy, it is the world that asks.
    assert (await gateway.client.get("/metrics", headers={"x-forwarded-for": "1.2.3.4"})).status_code == 404


async def test_metrics_are_for_the_networks_named(start_gateway: Any) -> None:
    async with start_gateway(GATEWAY_METRICS_NETWORKS="10.0.0.0/8") as gateway:
        assert (await gateway.client.get("/metrics")).status_code == 404
